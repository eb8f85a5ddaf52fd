use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;

use async_trait::async_trait;
use edge_ai_core::{Body, Clock, Database, Error, KeyedTokenBuckets, Quota, Result, Secret};
use http::header::{ALLOW, CONTENT_SECURITY_POLICY, HOST, LOCATION, ORIGIN, SET_COOKIE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::respond::respond;
use super::token::Token;
use crate::gateway::Caller;
use crate::site::Site;
use range::Range;
use session::Sessions;

mod assets;
mod live;
mod overview;
mod range;
mod session;

/// `/dashboard`: requests, tokens, cost, latency, savings of the cache, failures, who asks the most, and the newest requests as they come.
///
/// - Behind a token, which opens a session of 12 hours in a cookie that scripts cannot read and other sites cannot send. A wrong token may be tried ten times
///   a minute from one address.
/// - Everything comes from the Worker: the page loads nothing from elsewhere, and its content security policy forbids it to.
/// - What it shows is read from the database in a few queries of a bounded span of time; latencies at percentiles are estimates from histograms.
/// - It shows neither prompts nor answers.
pub struct Dashboard {
    database: Arc<dyn Database>,
    clock: Arc<dyn Clock>,
    token: Token,
    sessions: Sessions,
    tries: KeyedTokenBuckets,
}

const HOME: &str = "/dashboard";
const HTML: &str = "text/html; charset=utf-8";
const JSON: &str = "application/json";

/// How long a form may be.
const MAX_FORM: usize = 4 << 10;

impl Dashboard {
    /// A dashboard over `database` for those who have `token`.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](edge_ai_core::ErrorKind::Configuration) for a token of less than 16 characters.
    pub fn new(database: impl Database, clock: impl Clock, token: &Secret) -> Result<Self> {
        let token = Token::new(token, "DASHBOARD_TOKEN")?;
        let clock: Arc<dyn Clock> = Arc::new(clock);
        let tries = NonZeroU32::MIN.saturating_add(9);
        Ok(Self {
            database: Arc::new(database),
            sessions: Sessions::new(&token),
            tries: KeyedTokenBuckets::with_clock(Quota::per_minute(tries.get()), Arc::clone(&clock)),
            clock,
            token,
        })
    }

    async fn page(&self, request: Request<Body>, caller: &Caller) -> Response<Body> {
        let (head, body) = request.into_parts();
        let path = head.uri.path().strip_prefix(HOME).unwrap_or_default();
        let path = path.trim_end_matches('/');
        let read = matches!(head.method, Method::GET | Method::HEAD);
        let inside = self.sessions.holds(&head.headers, self.clock.now());
        match path {
            "" if read && inside => respond(StatusCode::OK, HTML, assets::PAGE),
            "" if read => respond(StatusCode::OK, HTML, assets::LOGIN),
            "/login" if head.method == Method::POST => self.log_in(&head, body, caller).await,
            "/logout" if head.method == Method::POST => self.log_out(&head),
            "/api/overview" if read && inside => self.api(&head, overview::read).await,
            "/api/live" if read && inside => self.api(&head, live::read).await,
            "/api/overview" | "/api/live" if read => respond(
                StatusCode::UNAUTHORIZED,
                JSON,
                br#"{"error":"log in at /dashboard"}"#.as_slice(),
            ),
            "/login" | "/logout" => not_allowed("POST"),
            "" | "/api/overview" | "/api/live" => not_allowed("GET, HEAD"),
            asset => match assets::find(asset) {
                Some((content_type, bytes)) if read => respond(StatusCode::OK, content_type, bytes),
                Some(_) => not_allowed("GET, HEAD"),
                None => respond(
                    StatusCode::NOT_FOUND,
                    HTML,
                    "there is nothing here; the dashboard is at /dashboard",
                ),
            },
        }
    }

    async fn log_in(&self, head: &Parts, body: Body, caller: &Caller) -> Response<Body> {
        if !same_origin(head) {
            return respond(StatusCode::FORBIDDEN, HTML, "the form of another site");
        }
        let address = caller
            .address
            .map_or_else(String::new, |address| address.to_string());
        let decision = self.tries.check_at(&address, self.clock.now(), NonZeroU32::MIN);
        if !decision.allowed {
            return respond(
                StatusCode::TOO_MANY_REQUESTS,
                HTML,
                assets::login_again("Too many tries. Wait a minute."),
            );
        }
        let form = body.bytes(MAX_FORM).await.unwrap_or_default();
        let token = std::str::from_utf8(&form)
            .unwrap_or_default()
            .split('&')
            .find_map(|pair| pair.strip_prefix("token="))
            .unwrap_or_default()
            .replace('+', " ");
        let token: Vec<u8> = percent_decode_str(&token).collect();
        if !self.token.is(token.trim_ascii()) {
            return respond(
                StatusCode::FORBIDDEN,
                HTML,
                assets::login_again("This is not the token."),
            );
        }
        go_home(&self.sessions.begin(self.clock.now(), is_https(head)))
    }

    fn log_out(&self, head: &Parts) -> Response<Body> {
        if !same_origin(head) {
            return respond(StatusCode::FORBIDDEN, HTML, "the form of another site");
        }
        go_home(&self.sessions.end(is_https(head)))
    }

    async fn api<F>(&self, head: &Parts, read: impl FnOnce(Arc<dyn Database>, Asked) -> F) -> Response<Body>
    where
        F: Future<Output = Result<Value>>,
    {
        let query = head.uri.query().unwrap_or_default();
        let value = |name: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
        };
        let asked = Asked {
            range: value("range").and_then(Range::named).unwrap_or_default(),
            after: value("after").and_then(|after| after.parse().ok()),
            now_ms: self.clock.now().as_millis(),
        };
        match read(Arc::clone(&self.database), asked).await {
            Ok(json) => respond(StatusCode::OK, JSON, json.to_string()),
            Err(error) => unavailable(&error),
        }
    }
}

/// What the page asks of the API.
#[derive(Clone, Copy)]
struct Asked {
    range: Range,
    /// The newest row that it knows.
    after: Option<u64>,
    now_ms: u64,
}

fn unavailable(error: &Error) -> Response<Body> {
    let body = json!({ "error": error.to_string() });
    respond(StatusCode::SERVICE_UNAVAILABLE, JSON, body.to_string())
}

fn not_allowed(allow: &'static str) -> Response<Body> {
    let mut response = respond(
        StatusCode::METHOD_NOT_ALLOWED,
        HTML,
        format!("this takes {allow}"),
    );
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static(allow));
    response
}

fn go_home(cookie: &str) -> Response<Body> {
    let mut response = respond(StatusCode::SEE_OTHER, HTML, "");
    let headers = response.headers_mut();
    headers.insert(LOCATION, HeaderValue::from_static(HOME));
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        headers.insert(SET_COOKIE, cookie);
    }
    response
}

fn is_https(head: &Parts) -> bool {
    head.uri.scheme_str() == Some("https")
}

/// Whether a form was sent from this site: browsers say so in one of these headers, and scripts of other sites cannot change them.
fn same_origin(head: &Parts) -> bool {
    let text = |name: HeaderName| head.headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text(HeaderName::from_static("sec-fetch-site")) {
        return matches!(site, "same-origin" | "none");
    }
    let host = text(HOST).or_else(|| head.uri.authority().map(http::uri::Authority::as_str));
    match (text(ORIGIN), host) {
        (Some(origin), Some(host)) => origin
            .split_once("://")
            .is_some_and(|(_, of)| of.eq_ignore_ascii_case(host)),
        (Some(_), None) => false,
        // No browser: a form that a browser sends with POST has an origin.
        (None, _) => true,
    }
}

/// Nothing from elsewhere, nothing inline, in no other page's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; \
     frame-ancestors 'none'; base-uri 'none'";

fn protect(headers: &mut HeaderMap) {
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    for (name, value) in [
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("x-frame-options", "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

impl fmt::Debug for Dashboard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dashboard")
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Site for Dashboard {
    fn has(&self, path: &str) -> bool {
        path.strip_prefix(HOME)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    async fn answer(&self, request: Request<Body>, caller: &Caller) -> Response<Body> {
        let mut response = self.page(request, caller).await;
        protect(response.headers_mut());
        response
    }
}

#[cfg(test)]
mod tests;
