use std::sync::Arc;

use edge_ai_core::{Background, Inline, Timestamp};
use futures_executor::block_on;
use http::HeaderMap;

use super::*;
use crate::access::Access;

fn tenant(access: &Access, name: &'static str, value: &str) -> Result<Option<Arc<str>>> {
    let headers = HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())]);
    principal(access, &headers).map(|principal| principal.tenant.clone())
}

fn principal(access: &Access, headers: &HeaderMap) -> Result<Arc<Principal>> {
    let background: Arc<dyn Background> = Arc::new(Inline);
    block_on(access.principal(&Presented::new(headers, Timestamp::default(), &background)))
}

fn keys() -> Access {
    let mut access = Access::default();
    access.add(Arc::new(
        ApiKeys::parse("acme:sk-acme-1,globex:sk-globex-1").unwrap(),
    ));
    access
}

#[test]
fn keys_name_their_tenant() {
    let tenant = |name, value| tenant(&keys(), name, value).map(Option::unwrap);
    assert_eq!(&*tenant("authorization", "Bearer sk-globex-1").unwrap(), "globex");
    assert_eq!(&*tenant("authorization", "bearer  sk-acme-1 ").unwrap(), "acme");
    assert_eq!(&*tenant("x-api-key", "sk-acme-1").unwrap(), "acme");
    assert_eq!(&*tenant("x-goog-api-key", "sk-acme-1").unwrap(), "acme");
    for wrong in ["Bearer sk-acme-2", "Bearer ", "bearer", "Basic sk-acme-1x"] {
        assert_eq!(
            tenant("authorization", wrong).unwrap_err().kind(),
            ErrorKind::Authentication,
            "{wrong}"
        );
    }
    let nothing = principal(&keys(), &HeaderMap::new()).unwrap_err();
    assert_eq!(nothing.code(), Some("missing_api_key"));
}

#[test]
fn open_access_tells_credentials_apart_without_showing_them() {
    let tenant = |value| {
        tenant(&Access::default(), "authorization", value)
            .unwrap()
            .unwrap()
    };
    assert_ne!(tenant("Bearer a-secret"), tenant("Bearer b-secret"));
    assert!(!tenant("Bearer a-secret").contains("secret"));
    let nobody = principal(&Access::default(), &HeaderMap::new()).unwrap();
    assert_eq!((&nobody.tenant, nobody.verified), (&None, false));
}

#[test]
fn a_bad_list_is_refused_without_repeating_it() {
    for bad in [
        "sk-only-a-key",
        ":sk-no-tenant",
        "acme:short",
        "a:sk-long-enough,b",
    ] {
        let error = ApiKeys::parse(bad).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(!error.to_string().contains("sk-"), "{error}");
    }
}
