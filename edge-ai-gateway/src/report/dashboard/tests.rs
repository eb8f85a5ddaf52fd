use super::*;
use edge_ai_core::{Inline, ManualClock, Row, Statement, Timestamp};
use futures_executor::block_on;
use std::time::Duration;

/// Answers every query with no row.
#[derive(Debug)]
struct Empty;

#[async_trait]
impl Database for Empty {
    async fn batch(&self, statements: Vec<Statement>) -> Result<Vec<Vec<Row>>> {
        Ok(vec![Vec::new(); statements.len()])
    }
}

const TOKEN: &str = "a-long-enough token+%";
const FORM: &str = "token=a-long-enough+token%2B%25";

struct Bench {
    clock: ManualClock,
    dashboard: Dashboard,
}

fn bench() -> Bench {
    let clock = ManualClock::new(Timestamp::from_millis(1_774_267_199_123));
    let dashboard = Dashboard::new(Empty, clock.clone(), &Secret::new(TOKEN)).unwrap();
    Bench { clock, dashboard }
}

impl Bench {
    fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &'static str) -> Response<Body> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "gateway.example");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body)).unwrap();
        block_on(self.dashboard.answer(request, &Caller::new(Arc::new(Inline))))
    }

    fn session(&self) -> String {
        let response = self.ask(
            "POST",
            "/dashboard/login",
            &[("origin", "https://gateway.example")],
            FORM,
        );
        assert_eq!(response.status(), 303);
        let cookie = response.headers()["set-cookie"].to_str().unwrap();
        cookie.split(';').next().unwrap().to_owned()
    }
}

fn json(response: Response<Body>) -> Value {
    serde_json::from_slice(response.body().as_bytes().unwrap()).unwrap()
}

#[test]
fn a_session_is_needed_for_everything_that_says_something() {
    let bench = bench();
    for path in ["/dashboard/api/overview", "/dashboard/api/live"] {
        assert_eq!(bench.ask("GET", path, &[], "").status(), 401);
    }
    let login = bench.ask("GET", "/dashboard", &[], "");
    assert_eq!(login.body().as_bytes().unwrap(), assets::LOGIN.as_bytes());
    let cookie = bench.session();
    let inside = [("cookie", cookie.as_str())];
    assert_eq!(
        bench
            .ask("GET", "/dashboard/", &inside, "")
            .body()
            .as_bytes()
            .unwrap(),
        assets::PAGE
    );
    let overview = json(bench.ask("GET", "/dashboard/api/overview?range=7d", &inside, ""));
    assert_eq!(overview["series"].as_array().unwrap().len(), 28);
    assert_eq!(overview["totals"]["duration_ms"]["p50"], Value::Null);
    bench.clock.advance(Duration::from_secs(13 * 3_600));
    assert_eq!(bench.ask("GET", "/dashboard/api/live", &inside, "").status(), 401);
}

#[test]
fn another_sites_form_is_refused_and_tokens_cannot_be_tried_for_long() {
    let bench = bench();
    for header in [
        ("origin", "https://evil.example"),
        ("sec-fetch-site", "cross-site"),
        ("origin", "null"),
    ] {
        assert_eq!(
            bench.ask("POST", "/dashboard/login", &[header], FORM).status(),
            403
        );
        assert_eq!(
            bench.ask("POST", "/dashboard/logout", &[header], "").status(),
            403
        );
    }
    for _ in 0..10 {
        let wrong = bench.ask("POST", "/dashboard/login", &[], "token=wrong");
        assert_eq!(
            (wrong.status().as_u16(), wrong.headers().get("set-cookie")),
            (403, None)
        );
    }
    assert_eq!(bench.ask("POST", "/dashboard/login", &[], FORM).status(), 429);
    bench.clock.advance(Duration::from_secs(60));
    bench.session();
}

#[test]
fn nothing_comes_from_elsewhere() {
    let bench = bench();
    for path in ["/dashboard", "/dashboard/assets/app.js", "/dashboard/nowhere"] {
        let response = bench.ask("GET", path, &[], "");
        let policy = response.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe"));
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
    }
    let page = std::str::from_utf8(assets::PAGE).unwrap();
    let referred = page.split(['"', '\'']).filter(|text| text.starts_with('/'));
    for path in referred.filter(|path| path.contains("/assets/")) {
        assert_eq!(bench.ask("GET", path, &[], "").status(), 200, "{path}");
    }
    assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("style="));
}

#[test]
fn it_has_its_own_paths_only() {
    let Bench { dashboard, .. } = bench();
    assert!(dashboard.has("/dashboard") && dashboard.has("/dashboard/api/live"));
    assert!(!dashboard.has("/dashboards") && !dashboard.has("/v1/models"));
}
