use std::fmt;
use std::sync::Arc;

use edge_ai_core::{Error, ErrorKind, Result, Secret};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use crate::access::{Authenticator, Presented};

/// The tokens that open the admin API, each with the name of who has it.
///
/// Only digests are kept, and a token is compared with all of them in constant time.
#[derive(Clone, Default)]
pub struct AdminTokens(Vec<(String, [u8; 32])>);

impl AdminTokens {
    /// The fewest characters of a token: at 128 bits of chance, as `openssl rand -hex 16` gives them.
    pub const MIN_LENGTH: usize = 32;

    /// Reads tokens with commas in between, each alone or as `name:token`; the name goes into the trail of changes.
    ///
    /// ```
    /// use edge_ai_gateway::AdminTokens;
    ///
    /// let tokens = "ci:9f86d081884c7d659a2feaa0c55ad015,ops:a3bf4f1b2b0b822cd15d6c15b0f00a08";
    /// assert!(AdminTokens::parse(&tokens.into()).is_ok());
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for a short token and for none; it does not repeat it.
    pub fn parse(secret: &Secret) -> Result<Self> {
        let remedy = "make one with `openssl rand -hex 32`";
        let wrong = |what: String| {
            Error::new(
                ErrorKind::Configuration,
                format!("`ADMIN_TOKEN` {what}; {remedy}"),
            )
        };
        let mut tokens = Vec::new();
        let entries = secret
            .expose()
            .split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty());
        for (at, entry) in entries.enumerate() {
            let (name, token) = entry.split_once(':').unwrap_or(("admin", entry));
            if token.len() < Self::MIN_LENGTH || name.is_empty() {
                let least = Self::MIN_LENGTH;
                return Err(wrong(format!(
                    "has at place {} less than {least} characters",
                    at + 1
                )));
            }
            tokens.push((name.to_owned(), Sha256::digest(token).into()));
        }
        if tokens.is_empty() {
            return Err(wrong("is empty".to_owned()));
        }
        Ok(Self(tokens))
    }

    fn find(&self, token: &[u8]) -> Option<&str> {
        let digest: [u8; 32] = Sha256::digest(token).into();
        let mut found = None;
        for (name, known) in &self.0 {
            let same: Choice = known.ct_eq(&digest);
            if bool::from(same) {
                found = Some(name.as_str());
            }
        }
        found
    }
}

impl fmt::Debug for AdminTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

/// Who may come in.
#[derive(Default)]
pub(super) struct Guard {
    pub(super) tokens: AdminTokens,
    pub(super) roles: Vec<(Arc<dyn Authenticator>, String)>,
}

impl Guard {
    /// Who it is, for the trail of changes.
    ///
    /// # Errors
    /// [`ErrorKind::Authentication`] for those who are not known; [`ErrorKind::PermissionDenied`] for those without the role.
    pub(super) async fn actor(&self, presented: &Presented<'_>) -> Result<String> {
        if let Some(name) = presented.token().and_then(|token| self.tokens.find(token)) {
            return Ok(name.to_owned());
        }
        for (way, role) in &self.roles {
            let Some(principal) = way.authenticate(presented).await? else {
                continue;
            };
            if principal.roles.contains(role) {
                let name = principal.name.as_ref().or(principal.key.as_ref());
                return Ok(name.map_or_else(|| role.clone(), |name| name.to_string()));
            }
            let message = format!("this needs the role `{role}`, which the token does not have");
            return Err(Error::new(ErrorKind::PermissionDenied, message).with_code("missing_role"));
        }
        let (code, message) = if presented.token().is_some() {
            (
                "invalid_admin_token",
                "the token does not open the admin API; it is the gateway's ADMIN_TOKEN, not a key for models",
            )
        } else {
            (
                "missing_admin_token",
                "no token: send the gateway's ADMIN_TOKEN as `Authorization: Bearer <token>`",
            )
        };
        Err(Error::new(ErrorKind::Authentication, message).with_code(code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_long_and_known_by_name() {
        let long = "x".repeat(32);
        let tokens = AdminTokens::parse(&format!("ci:{long}1, {long}2").into()).unwrap();
        assert_eq!(tokens.find(format!("{long}1").as_bytes()), Some("ci"));
        assert_eq!(tokens.find(format!("{long}2").as_bytes()), Some("admin"));
        assert_eq!(tokens.find(b""), None);
        assert!(!format!("{tokens:?}").contains("xx"));
        for bad in ["", " , ", "short", "name:short", &format!(":{long}")] {
            let error = AdminTokens::parse(&bad.into()).unwrap_err();
            assert!(
                error.message().contains("openssl") && !error.message().contains("short"),
                "{error}"
            );
        }
    }
}
