//! The page's files, part of the Worker.

pub(super) const PAGE: &[u8] = include_bytes!("../../../dashboard/index.html");
pub(super) const LOGIN: &str = include_str!("../../../dashboard/login.html");

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// The login with what was wrong with the last try, in plain words.
pub(super) fn login_again(wrong: &'static str) -> String {
    LOGIN.replace(
        r#"aria-describedby="help">"#,
        &format!(
            "aria-describedby=\"note\" aria-invalid=\"true\">\n    <p class=\"wrong\" id=\"note\" role=\"alert\">{wrong}</p>"
        ),
    )
}

/// The type and the bytes of a file by its path under `/dashboard`.
pub(super) fn find(path: &str) -> Option<(&'static str, &'static [u8])> {
    Some(match path {
        "/assets/style.css" => (
            "text/css; charset=utf-8",
            include_bytes!("../../../dashboard/style.css").as_slice(),
        ),
        "/assets/app.js" => (SCRIPT, include_bytes!("../../../dashboard/app.js").as_slice()),
        "/assets/chart.js" => (SCRIPT, include_bytes!("../../../dashboard/chart.js").as_slice()),
        "/assets/format.js" => (SCRIPT, include_bytes!("../../../dashboard/format.js").as_slice()),
        "/assets/live.js" => (SCRIPT, include_bytes!("../../../dashboard/live.js").as_slice()),
        "/assets/icon.svg" => (
            "image/svg+xml",
            include_bytes!("../../../dashboard/icon.svg").as_slice(),
        ),
        _ => return None,
    })
}
