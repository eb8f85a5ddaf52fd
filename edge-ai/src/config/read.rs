use edge_ai_core::{Error, ErrorKind, Result};

use super::Config;
use super::place::{self, Position};
#[cfg(feature = "toml")]
use super::translate::Translated;

impl Config {
    /// Reads a document, TOML or JSON: one that begins with a brace is JSON.
    ///
    /// # Errors
    /// As [`from_json`](Self::from_json).
    #[cfg(feature = "toml")]
    pub fn parse(text: &str) -> Result<Self> {
        if text.trim_start().starts_with('{') {
            Self::from_json(text)
        } else {
            Self::from_toml(text)
        }
    }

    /// Reads a document of JSON, and [checks](Self::check) it.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] that begins with the line and column at fault; its `param` is the field, where that is known.
    pub fn from_json(text: &str) -> Result<Self> {
        // Serde would read a list as the fields in their order.
        if text.trim_start().starts_with('[') {
            let offset = text.len() - text.trim_start().len();
            let problem = "the document is an object, not a list";
            return Err(located(Some(Position::of(text, offset)), None, problem));
        }
        let config: Self = serde_json::from_str(text).map_err(|error| {
            let position = Position {
                line: error.line(),
                column: error.column(),
            };
            let message = error.to_string();
            located(Some(position), None, without_position(&message))
        })?;
        config
            .check()
            .map_err(|error| in_document(error, |place| place::in_json(text, place)))?;
        Ok(config)
    }

    /// Reads a document of TOML, and [checks](Self::check) it.
    ///
    /// # Errors
    /// As [`from_json`](Self::from_json).
    #[cfg(feature = "toml")]
    pub fn from_toml(text: &str) -> Result<Self> {
        let translated = Translated::new(text)?;
        let config: Self = serde_json::from_str(&translated.json).map_err(|error| {
            // The JSON is one line.
            let position = translated.position(error.column().saturating_sub(1));
            located(Some(position), None, without_position(&error.to_string()))
        })?;
        config
            .check()
            .map_err(|error| in_document(error, |place| translated.find(place)))?;
        Ok(config)
    }

    /// Says where in `text`, the document that was read, an error of building from it lies.
    pub(crate) fn locate(text: &str, error: Error) -> Error {
        // Names have dots in them themselves.
        let keyed = |place: &str| {
            let (table, name) = ["cache.routes.", "routes."]
                .into_iter()
                .find_map(|table| Some((table, place.strip_prefix(table)?)))?;
            Some(format!("{}{name}", table.replace('.', place::SEPARATOR)))
        };
        let place = error.param().and_then(keyed);
        let error = match place {
            Some(place) => error.with_param(place),
            None => error,
        };
        #[cfg(feature = "toml")]
        if !text.trim_start().starts_with('{') {
            return in_document(error, |place| Translated::new(text).ok()?.find(place));
        }
        in_document(error, |place| place::in_json(text, place))
    }
}

/// The error with the position that its place has in the document.
fn in_document(error: Error, find: impl FnOnce(&str) -> Option<Position>) -> Error {
    let Some(place) = error.param().filter(|_| error.kind() == ErrorKind::Configuration) else {
        return error;
    };
    located(find(place), Some(place), error.message())
}

/// What serde says without the position, which it has at the end.
fn without_position(message: &str) -> &str {
    message
        .rsplit_once(" at line ")
        .map_or(message, |(message, _)| message)
}

pub(super) fn located(position: Option<Position>, place: Option<&str>, problem: &str) -> Error {
    let position = position.map(|Position { line, column }| format!("line {line}, column {column}: "));
    let shown = place.map(place::shown);
    let field = shown.as_ref().map(|place| format!("`{place}`: "));
    let message = format!(
        "{}{}{problem}",
        position.unwrap_or_default(),
        field.unwrap_or_default()
    );
    let error = Error::new(ErrorKind::Configuration, message);
    match shown {
        Some(place) => error.with_param(place),
        None => error,
    }
}
