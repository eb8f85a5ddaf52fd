use edge_ai_core::{ChatInput, Error, ErrorKind, Extra, ReasoningConfig, ResponseFormat, Result};

use super::{own_field, tools};
use crate::anthropic::{Plan, close_objects};
use crate::bedrock::CONVERSE;
use crate::bedrock::family::{Family, Kind};
use crate::wire::{Fields, ObjectWriter, Path, write_object};

/// How the answer is to be made: its length, its form, and the thinking before it.
pub(super) struct Config<'a> {
    input: &'a ChatInput,
    family: Family,
    /// What the instructions say about the form.
    pub(super) instruction: Option<String>,
    schema: Option<Schema<'a>>,
    thinking: Thinking,
}

struct Schema<'a> {
    name: &'a str,
    description: Option<&'a str>,
    text: String,
}

enum Thinking {
    Unsaid,
    Claude(Plan),
    /// gpt-oss, by an effort.
    GptOss(&'static str),
    /// Nova 2, by an effort; `None` turns it off.
    Nova(Option<&'static str>),
}

impl<'a> Config<'a> {
    pub(super) fn new(input: &'a ChatInput, family: Family) -> Result<Self> {
        let mut config = Self {
            input,
            family,
            instruction: None,
            schema: None,
            thinking: Thinking::new(input, family)?,
        };
        config.set_format()?;
        Ok(config)
    }

    fn set_format(&mut self) -> Result<()> {
        match &self.input.response_format {
            Some(ResponseFormat::JsonSchema {
                name,
                description,
                schema,
                strict,
            }) => {
                if self.family.schemas {
                    let text =
                        close_objects(schema.get()).map_err(|error| error.with_param("response_format"))?;
                    self.schema = Some(Schema {
                        name,
                        description: description.as_deref(),
                        text,
                    });
                } else if *strict == Some(true) {
                    let message =
                        "this model does not enforce JSON schemas; take another one, or ask without `strict`";
                    return Err(Error::new(ErrorKind::Unsupported, message).with_param("response_format"));
                } else {
                    self.instruction = Some(format!(
                        "Answer with JSON that matches this JSON schema, and with nothing else:\n{}",
                        schema.get()
                    ));
                }
            }
            Some(ResponseFormat::JsonObject) => {
                self.instruction = Some("Answer with one JSON object, and with nothing else.".to_owned());
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) fn write(&self, body: &mut ObjectWriter<'_>) -> Result<()> {
        self.write_inference(body)?;
        self.write_output(body)?;
        self.write_additional(body)
    }

    fn write_inference(&self, body: &mut ObjectWriter<'_>) -> Result<()> {
        let input = self.input;
        let blank = |text: &String| !text.is_empty() && text.trim().is_empty();
        if let (Some(_), Some(index)) = (self.family.claude(), input.stop.iter().position(blank)) {
            let message = "Claude does not stop at white space; take a text with other characters";
            return Err(Error::new(ErrorKind::Unsupported, message).with_param(format!("stop[{index}]")));
        }
        let stop: Vec<_> = input.stop.iter().filter(|text| !text.is_empty()).collect();
        let sampled = self.thinking.leaves_sampling(self.family);
        let number = |number: Option<f64>| number.filter(|number| number.is_finite() && sampled);
        let temperature = number(input.temperature).map(|temperature| temperature.clamp(0.0, 1.0));
        // Newer Claudes take one of the two.
        let beside = self.family.claude().is_some() && temperature.is_some();
        let top_p = number(input.top_p).filter(|_| !beside);
        let limit = input.max_output_tokens;
        if limit.is_none() && temperature.is_none() && top_p.is_none() && stop.is_empty() {
            return Ok(());
        }
        body.object("inferenceConfig", |config| {
            config.optional("maxTokens", limit);
            config.optional("temperature", temperature);
            config.optional("topP", top_p);
            config.optional("stopSequences", (!stop.is_empty()).then_some(&stop));
            Ok(())
        })
    }

    fn write_output(&self, body: &mut ObjectWriter<'_>) -> Result<()> {
        if own_field(self.input, "outputConfig").is_some() {
            body.optional("outputConfig", own_field(self.input, "outputConfig"));
            return Ok(());
        }
        let effort = match &self.thinking {
            Thinking::Claude(plan) => plan.effort.as_deref(),
            _ => None,
        };
        if effort.is_none() && self.schema.is_none() {
            return Ok(());
        }
        body.object("outputConfig", |config| {
            config.optional("effort", effort);
            let Some(schema) = &self.schema else { return Ok(()) };
            config.object("textFormat", |format| {
                format.field("type", "json_schema");
                format.object("structure", |structure| {
                    structure.object("jsonSchema", |json| {
                        // The schema is a text here, not an object.
                        json.field("schema", &schema.text);
                        json.field("name", schema.name);
                        json.optional("description", schema.description);
                        Ok(())
                    })
                })
            })
        })
    }

    /// The caller's own fields, and beside them those of the model's that Converse has no word for.
    fn write_additional(&self, body: &mut ObjectWriter<'_>) -> Result<()> {
        let own = own_field(self.input, "additionalModelRequestFields");
        let own = own.map_or("{}", |own| own.get());
        let own = Fields::parse(own, Path::ROOT)
            .map_err(|error| error.with_param("additionalModelRequestFields"))?
            .rest(&CONVERSE);
        let ours = write_object(|fields| self.write_model_fields(fields))?;
        let ours = String::from_utf8_lossy(&ours);
        let ours: Extra = Fields::parse(&ours, Path::ROOT)?.rest(&CONVERSE);
        let mut all = ours;
        // What the caller says counts.
        all.extend(own);
        if all.is_empty() {
            return Ok(());
        }
        body.object("additionalModelRequestFields", |fields| {
            fields.extra(&all, &CONVERSE);
            Ok(())
        })
    }

    fn write_model_fields(&self, fields: &mut ObjectWriter<'_>) -> Result<()> {
        let top_k = self
            .input
            .top_k
            .filter(|_| self.thinking.leaves_sampling(self.family));
        match &self.thinking {
            Thinking::Claude(plan) => plan.write(fields)?,
            Thinking::GptOss(effort) => fields.field("reasoning_effort", effort),
            Thinking::Nova(effort) => fields.object("reasoningConfig", |config| {
                config.field("type", if effort.is_some() { "enabled" } else { "disabled" });
                config.optional("maxReasoningEffort", *effort);
                Ok(())
            })?,
            Thinking::Unsaid => {}
        }
        match self.family.kind {
            Kind::Claude(_) => fields.optional("top_k", top_k),
            Kind::Nova { .. } if top_k.is_some() => fields.object("inferenceConfig", |config| {
                config.optional("topK", top_k);
                Ok(())
            })?,
            // A hint for which there is no field.
            _ => {}
        }
        tools::write_own_choice(fields, self.input, self.family)
    }
}

impl Thinking {
    fn new(input: &ChatInput, family: Family) -> Result<Self> {
        if let Some(accepts) = family.claude() {
            // The limit is the caller's or the model's own: Converse wants none.
            return Ok(Self::Claude(Plan::new(input, accepts, 0)?));
        }
        let Some(wish) = &input.reasoning else {
            return Ok(Self::Unsaid);
        };
        let Some(effort) = wish.effort.as_deref().or_else(|| budget_effort(wish)) else {
            return Ok(Self::Unsaid);
        };
        let level = match effort {
            "none" => None,
            "minimal" | "low" => Some("low"),
            "medium" => Some("medium"),
            "high" | "xhigh" | "max" => Some("high"),
            _ => {
                let message = "unknown effort; this model takes none, minimal, low, medium, high, xhigh, max";
                return Err(Error::invalid("reasoning_effort", message));
            }
        };
        match (family.kind, level) {
            (Kind::GptOss, level) => Ok(Self::GptOss(level.unwrap_or("low"))),
            // With the highest effort it takes no limit.
            (Kind::Nova { thinks: true }, Some("high")) if input.max_output_tokens.is_some() => {
                Ok(Self::Nova(Some("medium")))
            }
            (Kind::Nova { thinks: true }, level) => Ok(Self::Nova(level)),
            (_, None) => Ok(Self::Unsaid),
            _ => {
                let message =
                    "nothing is known of how this model thinks; say it in `additionalModelRequestFields`";
                Err(Error::new(ErrorKind::Unsupported, message).with_param("reasoning_effort"))
            }
        }
    }

    fn leaves_sampling(&self, family: Family) -> bool {
        match self {
            Self::Claude(plan) => family.claude().is_none_or(|accepts| accepts.sampling) && !plan.thinks(),
            Self::Nova(effort) => effort.is_none(),
            _ => true,
        }
    }
}

/// The effort that is worth a budget of tokens.
fn budget_effort(wish: &ReasoningConfig) -> Option<&'static str> {
    Some(match wish.max_tokens? {
        0 => "none",
        1..=2_048 => "low",
        2_049..=8_192 => "medium",
        _ => "high",
    })
}
