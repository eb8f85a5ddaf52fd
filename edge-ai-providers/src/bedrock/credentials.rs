use edge_ai_core::{Error, ErrorKind, Result, Secret};

/// What proves to AWS who asks.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Credentials {
    /// The keys of a user or a role, with which requests are [signed](super::sigv4).
    Keys {
        /// Which keys they are.
        access_key_id: String,
        /// What signs; it is never sent.
        secret_access_key: Secret,
        /// The token that goes with the temporary keys of a role.
        session_token: Option<Secret>,
    },
    /// A [Bedrock API key](https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys.html), sent as a bearer token.
    ApiKey(Secret),
}

impl Credentials {
    /// Keys without a session.
    pub fn keys(access_key_id: impl Into<String>, secret_access_key: impl Into<Secret>) -> Self {
        Self::Keys {
            access_key_id: access_key_id.into(),
            secret_access_key: secret_access_key.into(),
            session_token: None,
        }
    }

    /// The credentials by AWS's settings: `AWS_BEARER_TOKEN_BEDROCK`, else `AWS_ACCESS_KEY_ID` with `AWS_SECRET_ACCESS_KEY` and, for a
    /// role, `AWS_SESSION_TOKEN`. `None` without any.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for one key without the other.
    pub fn from_settings(settings: &dyn Fn(&str) -> Option<String>) -> Result<Option<Self>> {
        let setting = |name: &str| settings(name).filter(|value| !value.trim().is_empty());
        if let Some(token) = setting("AWS_BEARER_TOKEN_BEDROCK") {
            return Ok(Some(Self::ApiKey(Secret::new(token))));
        }
        let missing = |name: &str, other: &str| {
            let message = format!("`{name}` is missing; it belongs to `{other}`");
            Err(Error::new(ErrorKind::Configuration, message))
        };
        match (setting("AWS_ACCESS_KEY_ID"), setting("AWS_SECRET_ACCESS_KEY")) {
            (None, None) => Ok(None),
            (Some(_), None) => missing("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"),
            (None, Some(_)) => missing("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
            (Some(id), Some(secret)) => Ok(Some(Self::Keys {
                access_key_id: id.trim().to_owned(),
                secret_access_key: Secret::new(secret),
                session_token: setting("AWS_SESSION_TOKEN").map(Secret::new),
            })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(known: &[(&str, &str)]) -> Result<Option<Credentials>> {
        Credentials::from_settings(&|name| {
            let found = known.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn settings_are_those_of_aws() {
        assert!(read(&[]).unwrap().is_none());
        let keys = [
            ("AWS_ACCESS_KEY_ID", "AKID"),
            ("AWS_SECRET_ACCESS_KEY", "top-secret"),
        ];
        let session = [keys[0], keys[1], ("AWS_SESSION_TOKEN", "session")];
        let read_keys = read(&session).unwrap().unwrap();
        assert!(matches!(
            &read_keys,
            Credentials::Keys {
                session_token: Some(_),
                ..
            }
        ));
        let shown = format!("{read_keys:?}");
        assert!(
            !shown.contains("top-secret") && !shown.contains("\"session\""),
            "{shown}"
        );
        let with_token = [keys[0], keys[1], ("AWS_BEARER_TOKEN_BEDROCK", "abc")];
        assert!(matches!(read(&with_token).unwrap(), Some(Credentials::ApiKey(_))));
        for one in keys {
            let error = read(&[one]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration);
            assert!(error.message().contains("is missing"), "{error}");
        }
    }
}
