//! What goes to vendors as it is.

use edge_ai::gateway::PassThrough;
use edge_ai::runtime::EnvExt;
use edge_ai::{Error, ErrorKind, Result};
use worker::Env;

/// What is passed on to vendors as it is.
pub(crate) fn pass_through(env: &Env) -> Result<Option<PassThrough>> {
    let text = env.text("PASS_THROUGH").unwrap_or_else(|| "models".to_owned());
    let mut pass = PassThrough::new();
    for word in text.split([' ', ',']).filter(|word| !word.is_empty()) {
        pass = match word {
            "off" => return Ok(None),
            "models" => pass.models_only(),
            "all" => pass,
            "unguarded" => pass.unguarded(),
            _ => {
                let message = format!(
                    "`PASS_THROUGH` is `models`, `all` or `off`, and `unguarded` beside it, not `{text}`"
                );
                return Err(Error::new(ErrorKind::Configuration, message));
            }
        };
    }
    Ok(Some(pass))
}
