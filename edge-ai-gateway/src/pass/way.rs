use edge_ai_core::{Dialect, Error, ErrorKind, Operation, Result};
use edge_ai_providers::openai::{IMAGES, MODERATIONS, SPEECH, TRANSCRIPTIONS};

use super::subject::operation;
use crate::route::RouteTable;

/// Where a request is passed on to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// A provider's own API.
    Native {
        provider: String,
        /// What comes after the provider's name, with the slash.
        path: String,
    },
    /// One of OpenAI's services.
    Media(Media),
    /// An answer that a provider has kept.
    Response,
    /// A realtime conversation.
    Realtime,
}

/// A service of OpenAI's that is asked by a model's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Media {
    Generations,
    Edits,
    Variations,
    Speech,
    Transcriptions,
    Translations,
    Moderations,
}

impl Media {
    const ALL: [Self; 7] = [
        Self::Generations,
        Self::Edits,
        Self::Variations,
        Self::Speech,
        Self::Transcriptions,
        Self::Translations,
        Self::Moderations,
    ];

    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Generations => "/v1/images/generations",
            Self::Edits => "/v1/images/edits",
            Self::Variations => "/v1/images/variations",
            Self::Speech => "/v1/audio/speech",
            Self::Transcriptions => "/v1/audio/transcriptions",
            Self::Translations => "/v1/audio/translations",
            Self::Moderations => "/v1/moderations",
        }
    }

    pub(super) const fn operation(self) -> Operation {
        match self {
            Self::Generations | Self::Edits | Self::Variations => Operation::Image,
            Self::Speech => Operation::Speech,
            Self::Transcriptions | Self::Translations => Operation::Transcription,
            Self::Moderations => Operation::Moderation,
        }
    }

    pub(super) const fn dialect(self) -> Dialect {
        match self {
            Self::Generations | Self::Edits | Self::Variations => IMAGES,
            Self::Speech => SPEECH,
            Self::Transcriptions | Self::Translations => TRANSCRIPTIONS,
            Self::Moderations => MODERATIONS,
        }
    }

    /// The model that OpenAI takes when none is named ([API reference](https://platform.openai.com/docs/api-reference)).
    pub(super) const fn usual_model(self) -> Option<&'static str> {
        match self {
            Self::Generations | Self::Edits | Self::Variations => Some("dall-e-2"),
            Self::Moderations => Some("omni-moderation-latest"),
            _ => None,
        }
    }

    pub(super) fn at(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|media| media.path() == path)
    }
}

/// First parts of paths that are the gateway's own: a provider of such a name has no path of its own.
pub(crate) const RESERVED: [&str; 8] = [
    "v1",
    "v2",
    "admin",
    "rerank",
    "healthz",
    "dashboard",
    "metrics",
    "favicon.ico",
];

impl Way {
    pub(super) fn at(path: &str, table: &RouteTable) -> Option<Self> {
        let plain = path.strip_suffix('/').unwrap_or(path);
        if let Some(media) = Media::at(plain) {
            return Some(Self::Media(media));
        }
        if plain == "/v1/realtime" {
            return Some(Self::Realtime);
        }
        if path
            .strip_prefix("/v1/responses/")
            .is_some_and(|id| !id.is_empty())
        {
            return Some(Self::Response);
        }
        let (name, rest) = path.strip_prefix('/')?.split_once('/')?;
        let known = |name: &str| table.providers().iter().any(|provider| provider.name() == name);
        (!RESERVED.contains(&name) && known(name)).then(|| Self::Native {
            provider: name.to_owned(),
            path: format!("/{rest}"),
        })
    }

    /// What is done there.
    pub(crate) fn operation(&self) -> Operation {
        match self {
            Self::Native { path, .. } => operation(path),
            Self::Media(media) => media.operation(),
            Self::Response => Operation::Other,
            Self::Realtime => Operation::Realtime,
        }
    }

    /// The methods that it takes, as the `allow` header has them.
    pub(crate) const fn allow(&self) -> &'static str {
        match self {
            Self::Native { .. } => "GET, HEAD, POST, PUT, PATCH, DELETE",
            Self::Media(_) => "POST",
            Self::Response => "GET, POST, DELETE",
            Self::Realtime => "GET",
        }
    }
}

/// Refuses names of providers that no path would lead to.
///
/// # Errors
/// [`ErrorKind::Configuration`] that names the provider.
pub(crate) fn check_names(table: &RouteTable) -> Result<()> {
    let clash = table
        .providers()
        .iter()
        .find(|provider| RESERVED.contains(&provider.name()));
    let Some(provider) = clash else { return Ok(()) };
    let message = format!(
        "`/{0}` is the gateway's own path, so nothing can be passed on to the provider `{0}`; give it another name",
        provider.name()
    );
    Err(Error::new(ErrorKind::Configuration, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge_ai_core::Provider;
    use std::sync::Arc;

    #[derive(Debug)]
    struct Named(&'static str);

    impl Provider for Named {
        fn name(&self) -> &str {
            self.0
        }
    }

    fn table(names: &[&'static str]) -> RouteTable {
        let providers = names
            .iter()
            .map(|name| Arc::new(Named(name)) as Arc<dyn Provider>)
            .collect();
        RouteTable::new(providers, Vec::new()).unwrap()
    }

    #[test]
    fn paths() {
        let table = table(&["openai", "v1"]);
        let native = |path: &str| {
            Some(Way::Native {
                provider: "openai".into(),
                path: path.into(),
            })
        };
        assert_eq!(Way::at("/openai/v1/files", &table), native("/v1/files"));
        assert_eq!(Way::at("/openai/", &table), native("/"));
        assert_eq!(Way::at("/openai//evil", &table), native("//evil"));
        assert_eq!(
            Way::at("/v1/audio/speech/", &table),
            Some(Way::Media(Media::Speech))
        );
        assert_eq!(
            Way::at("/v1/responses/resp_1/input_items", &table),
            Some(Way::Response)
        );
        for path in [
            "/openai",
            "/other/v1",
            "/v1/files",
            "/OpenAI/v1",
            "/v1/images",
            "//openai/v1",
            "/v1/responses/",
        ] {
            assert_eq!(Way::at(path, &table), None, "{path}");
        }
    }

    #[test]
    fn a_name_that_is_a_path_is_refused() {
        assert!(check_names(&table(&["openai"])).is_ok());
        let error = check_names(&table(&["openai", "metrics"])).unwrap_err();
        assert!(error.message().contains("`metrics`"), "{error}");
    }
}
