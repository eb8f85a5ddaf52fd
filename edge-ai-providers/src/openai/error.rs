mod decode;
mod encode;

pub use decode::decode_error;
pub(crate) use decode::{error_in_body, error_in_choice};
pub use encode::encode_error;
