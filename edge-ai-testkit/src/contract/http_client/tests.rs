use edge_ai_core::{Error, ErrorKind};
use futures_executor::block_on;

use super::{HttpClientSubject, answer, cases};
use crate::scripted::ScriptedHttpClient;

const BASE: &str = "http://server.example/under";

fn client() -> ScriptedHttpClient {
    ScriptedHttpClient::from_fn(|request| {
        if !matches!(request.uri().scheme_str(), Some("http" | "https")) {
            return Err(Error::invalid("uri", "an address is http or https"));
        }
        match request.uri().to_string().strip_prefix(BASE) {
            Some(path) => answer(path, request),
            None => Err(Error::new(ErrorKind::Unavailable, "nobody listens")),
        }
    })
}

#[test]
fn the_scripted_client_keeps_the_contract() {
    let subject = || {
        let client = client();
        let in_flight = client.in_flight();
        HttpClientSubject::new(client, BASE)
            .with_unreachable("http://127.0.0.1:1/")
            .with_in_flight(in_flight)
    };
    block_on(crate::run(cases(), subject)).assert_passed_but(&[]);
}
