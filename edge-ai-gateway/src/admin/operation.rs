use edge_ai_core::{Error, ErrorKind, Result};
use http::Method;
use percent_encoding::percent_decode_str;

use crate::surface::not_taken;

/// What can be done, with the names in its path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    OpenApi,
    ListKeys,
    CreateKey,
    GetKey(String),
    PutKey(String),
    DeleteKey(String),
    RotateKey(String),
    ListTenants,
    ListVendorKeys(String),
    PutVendorKey(String, String),
    DeleteVendorKey(String, String),
    ResealVendorKeys,
    PurgeCache,
    Usage,
    Audit,
}

impl Operation {
    /// What a request asks for.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for another path; status 405 for another method of a path that there is.
    pub(super) fn at(method: &Method, path: &str) -> Result<Self> {
        let path = path.strip_prefix(super::PREFIX).unwrap_or(path);
        let segments = path.trim_end_matches('/').split('/').map(|segment| {
            percent_decode_str(segment)
                .decode_utf8()
                .ok()
                .map(std::borrow::Cow::into_owned)
        });
        let segments: Vec<String> = segments.collect::<Option<_>>().unwrap_or_default();
        let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
        let own = |text: &str| text.to_owned();
        let there: &[(&str, Self)] = &match parts.as_slice() {
            ["openapi.json"] => vec![("GET", Self::OpenApi)],
            ["keys"] => vec![("GET", Self::ListKeys), ("POST", Self::CreateKey)],
            ["keys", id] => vec![
                ("GET", Self::GetKey(own(id))),
                ("PUT", Self::PutKey(own(id))),
                ("DELETE", Self::DeleteKey(own(id))),
            ],
            ["keys", id, "rotate"] => vec![("POST", Self::RotateKey(own(id)))],
            ["tenants"] => vec![("GET", Self::ListTenants)],
            ["tenants", tenant, "vendor-keys"] => vec![("GET", Self::ListVendorKeys(own(tenant)))],
            ["tenants", tenant, "vendor-keys", provider] => vec![
                ("PUT", Self::PutVendorKey(own(tenant), own(provider))),
                ("DELETE", Self::DeleteVendorKey(own(tenant), own(provider))),
            ],
            ["vendor-keys", "reseal"] => vec![("POST", Self::ResealVendorKeys)],
            ["cache", "purge"] => vec![("POST", Self::PurgeCache)],
            ["usage"] => vec![("GET", Self::Usage)],
            ["audit"] => vec![("GET", Self::Audit)],
            _ => {
                let message = "there is nothing here; GET /admin/openapi.json says what there is";
                return Err(Error::new(ErrorKind::NotFound, message).with_code("unknown_url"));
            }
        };
        if let Some((_, operation)) = there.iter().find(|(takes, _)| *takes == method.as_str()) {
            return Ok(operation.clone());
        }
        let takes: Vec<_> = there.iter().map(|(takes, _)| *takes).collect();
        Err(not_taken(method, &takes.join(", ")))
    }

    /// The parameters that it takes after the `?`.
    pub(super) const fn parameters(&self) -> &'static [&'static str] {
        match self {
            Self::ListKeys => &["tenant", "limit", "cursor"],
            Self::ListTenants | Self::Audit => &["limit", "cursor"],
            Self::PutVendorKey(..) | Self::DeleteVendorKey(..) => &["alias"],
            Self::Usage => &["by", "tenant", "key", "since_ms", "until_ms"],
            _ => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::collections::BTreeSet;

    #[test]
    fn names_in_paths_are_decoded() {
        let at = |path| Operation::at(&Method::GET, path);
        assert_eq!(
            at("/admin/keys/key_1/").unwrap(),
            Operation::GetKey("key_1".into())
        );
        let tenant = Operation::ListVendorKeys("a/b' OR 1".into());
        assert_eq!(at("/admin/tenants/a%2Fb'%20OR%201/vendor-keys").unwrap(), tenant);
        for (path, status) in [
            ("/admin/", 404),
            ("/admin/keys/a/b", 404),
            ("/admin/%ff", 404),
            ("/admin/keys/a/rotate", 405),
        ] {
            assert_eq!(at(path).unwrap_err().status(), status, "{path}");
        }
    }

    /// The description has every operation with its parameters, and no other.
    #[test]
    fn the_description_is_in_step() {
        let document: Value = serde_json::from_str(crate::Admin::OPENAPI).unwrap();
        let mut described = BTreeSet::new();
        for (template, methods) in document["paths"].as_object().unwrap() {
            let path = template
                .replace("{id}", "i")
                .replace("{tenant}", "t")
                .replace("{provider}", "p");
            for method in ["get", "put", "post", "delete", "patch"] {
                let Some(operation) = methods.get(method) else {
                    let other = Operation::at(&method.to_uppercase().parse().unwrap(), &path).unwrap_err();
                    assert_eq!(other.status(), 405, "{method} {path} is not described");
                    continue;
                };
                let found = Operation::at(&method.to_uppercase().parse().unwrap(), &path).unwrap();
                let parameters: BTreeSet<_> = operation["parameters"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter(|parameter| parameter["in"] == "query")
                    .map(|parameter| parameter["name"].as_str().unwrap())
                    .collect();
                assert_eq!(
                    parameters,
                    found.parameters().iter().copied().collect(),
                    "{method} {path}"
                );
                described.insert(format!("{found:?}"));
            }
        }
        assert_eq!(described.len(), 15, "{described:?}");
    }
}
