use std::time::Duration;

use serde_json::Value;
use ureq::Agent;
use ureq::http::Request;

/// The admin API of one gateway.
pub(crate) struct Api {
    agent: Agent,
    url: String,
    token: String,
}

impl Api {
    /// The API at an address, opened by the token of `EDGE_AI_ADMIN_TOKEN`: a token on the command line would be in every list of processes.
    pub(crate) fn new(url: &str) -> Result<Self, String> {
        let token = std::env::var("EDGE_AI_ADMIN_TOKEN").unwrap_or_default();
        if token.trim().is_empty() {
            return Err("set EDGE_AI_ADMIN_TOKEN to the gateway's ADMIN_TOKEN".to_owned());
        }
        let url = url.trim().trim_end_matches('/');
        let local = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
        if !url.starts_with("https://") && !local.iter().any(|prefix| url.starts_with(prefix)) {
            return Err(format!(
                "the token would go in clear to `{url}`; set EDGE_AI_URL to an https:// address"
            ));
        }
        let config = Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(60)))
            .http_status_as_error(false)
            // A redirect would take the token elsewhere.
            .max_redirects(0)
            .build();
        Ok(Self {
            agent: config.into(),
            url: url.to_owned(),
            token: token.trim().to_owned(),
        })
    }

    /// Sends a request and gives the answer; what the gateway refuses is an error in its own words.
    pub(crate) fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, String> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json");
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = request.body(body).map_err(|_| {
            "the address or the token has characters that a request cannot carry; look at EDGE_AI_URL and EDGE_AI_ADMIN_TOKEN".to_owned()
        })?;
        let mut response = self
            .agent
            .run(request)
            .map_err(|error| format!("{} cannot be asked: {error}; is EDGE_AI_URL right?", self.url))?;
        let status = response.status().as_u16();
        let text = response
            .body_mut()
            .read_to_string()
            .map_err(|error| format!("the answer broke off: {error}"))?;
        let answer: Value = serde_json::from_str(&text)
            .map_err(|_| format!("{} answered {status} with something else than JSON; is EDGE_AI_URL a gateway with ADMIN_TOKEN set?", self.url))?;
        if (200..300).contains(&status) {
            return Ok(answer);
        }
        let error = &answer["error"];
        let message = error["message"].as_str().unwrap_or("no reason was given");
        Err(match error["param"].as_str() {
            Some(field) => format!("{message} (`{field}`, status {status})"),
            None => format!("{message} (status {status})"),
        })
    }
}
