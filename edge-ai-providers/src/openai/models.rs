use bytes::Bytes;
use edge_ai_core::Result;

use crate::wire::{ObjectWriter, write_object};

/// A model in the answer of `/v1/models`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelEntry {
    /// The name to ask for.
    pub id: String,
    /// When it appeared, in seconds since 1970.
    pub created: u64,
    /// Whose it is.
    pub owned_by: String,
}

/// Writes the answer of `/v1/models`.
pub fn encode_models(models: &[ModelEntry]) -> Bytes {
    let list = write_object(|object| {
        object.field("object", "list");
        object.array("data", |array| {
            models
                .iter()
                .try_for_each(|model| array.object(|object| write(object, model)))
        })
    });
    // Nothing that is written here fails.
    list.unwrap_or_default().into()
}

/// Writes the answer of `/v1/models/{model}`.
pub fn encode_model(model: &ModelEntry) -> Bytes {
    write_object(|object| write(object, model))
        .unwrap_or_default()
        .into()
}

fn write(object: &mut ObjectWriter<'_>, model: &ModelEntry) -> Result<()> {
    object.field("id", &model.id);
    object.field("object", "model");
    object.field("created", model.created);
    object.field("owned_by", &model.owned_by);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_and_one() {
        let model = ModelEntry {
            id: "openai/gpt-4.1".into(),
            created: 1_744_316_542,
            owned_by: "openai".into(),
        };
        let one = r#"{"id":"openai/gpt-4.1","object":"model","created":1744316542,"owned_by":"openai"}"#;
        assert_eq!(encode_model(&model), one);
        assert_eq!(
            encode_models(&[model]),
            format!(r#"{{"object":"list","data":[{one}]}}"#)
        );
        assert_eq!(encode_models(&[]), r#"{"object":"list","data":[]}"#);
    }
}
