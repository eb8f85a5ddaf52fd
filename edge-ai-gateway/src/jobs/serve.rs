use bytes::Bytes;
use edge_ai_core::{Error, ErrorKind, Result};
use http::{Request, Response, StatusCode};

use super::envelope::{pack, unpack};
use super::record::{Ending, Record, Renewal, Taken};
use super::state::{Status, Take};
use super::storage::{Storage, get_blob, get_json, put_blob, put_json, read_json};

/// What an object keeps.
pub(super) const RECORD: &str = "job";
const REQUEST: &str = "request";
const ANSWER: &str = "answer";

/// Names the tenant that asks; without it there is none.
pub(super) const TENANT: &str = "x-tenant";

/// A request to an object.
pub(crate) fn ask(what: &str, tenant: Option<&str>, body: Bytes) -> Result<Request<Bytes>> {
    let mut request = Request::post(format!("http://job/{what}"));
    if let Some(tenant) = tenant {
        // Names of tenants are not always of what a header can carry.
        let tenant = percent_encoding::utf8_percent_encode(tenant, percent_encoding::NON_ALPHANUMERIC);
        request = request.header(TENANT, tenant.to_string());
    }
    request
        .body(body)
        .map_err(|error| Error::new(ErrorKind::Internal, error.to_string()))
}

/// Answers what is asked of an object, of a job or of a batch.
pub(super) fn serve_any(
    storage: &impl Storage,
    now_ms: u64,
    request: &Request<Bytes>,
) -> Result<Response<Bytes>> {
    match request.uri().path().strip_prefix("/batch/") {
        Some(what) => crate::batches::serve(storage, now_ms, what, request),
        None => serve(storage, now_ms, request),
    }
}

/// Answers what is asked of a job's object. It reads and writes in one go, so that nothing comes in between.
pub(super) fn serve(
    storage: &impl Storage,
    now_ms: u64,
    request: &Request<Bytes>,
) -> Result<Response<Bytes>> {
    let what = request.uri().path().trim_start_matches('/');
    if what == "submit" {
        return submit(storage, request.body());
    }
    let Some(mut record) = get_json::<Record>(storage, RECORD)? else {
        return Ok(status(StatusCode::NOT_FOUND));
    };
    let owner = is_owner(request, record.ticket.who.tenant.as_deref());
    let Record { policy, job, .. } = &mut record;
    match what {
        "take" => {
            let taken = job.take(now_ms, policy);
            record.tell_the_end(now_ms);
            put_json(storage, RECORD, &record)?;
            let Take::Run { token, turn } = taken else {
                return Ok(status(StatusCode::NO_CONTENT));
            };
            let taken = Taken {
                token,
                turn,
                lease_ms: record.policy.lease_ms,
                ticket: record.ticket,
            };
            Ok(Response::new(pack(&taken, &get_blob(storage, REQUEST)?)?))
        }
        "renew" => {
            let renewal: Renewal = read_json(request.body())?;
            let wanted = job.renew(renewal.token, renewal.output_tokens, now_ms, policy);
            put_json(storage, RECORD, &record)?;
            Ok(accepted(wanted))
        }
        "end" => end(storage, now_ms, record, request.body()),
        // Whoever asks for the rest is a client.
        _ if !owner => Ok(status(StatusCode::NOT_FOUND)),
        "show" => {
            job.tick(now_ms, policy);
            Ok(Response::new(pack(&record, b"")?))
        }
        "answer" => {
            let answer = match record.job.status {
                Status::Completed | Status::Failed => get_blob(storage, ANSWER)?,
                _ => Vec::new(),
            };
            Ok(Response::new(pack(&record, &answer)?))
        }
        "cancel" => {
            let cancelled = job.cancel(now_ms);
            record.tell_the_end(now_ms);
            put_json(storage, RECORD, &record)?;
            if cancelled {
                storage.delete(&format!("{REQUEST}/"))?;
            }
            Ok(Response::new(pack(&record, b"")?))
        }
        "forget" => {
            storage.delete("")?;
            Ok(status(StatusCode::NO_CONTENT))
        }
        _ => Ok(status(StatusCode::BAD_REQUEST)),
    }
}

fn submit(storage: &impl Storage, body: &Bytes) -> Result<Response<Bytes>> {
    // Sent twice, it is the same job.
    if storage.get(RECORD)?.is_none() {
        let (record, request) = unpack::<Record>(body)?;
        put_blob(storage, REQUEST, &request)?;
        put_json(storage, RECORD, &record)?;
    }
    Ok(status(StatusCode::CREATED))
}

fn end(storage: &impl Storage, now_ms: u64, mut record: Record, body: &Bytes) -> Result<Response<Bytes>> {
    let (ending, answer) = unpack::<Ending>(body)?;
    let Record { policy, job, .. } = &mut record;
    let wanted = match ending.failure {
        None => job.complete(ending.token, ending.output_tokens, now_ms),
        Some(failure) => job.fail(ending.token, failure, now_ms, policy),
    };
    if wanted {
        if record.job.status.is_final() {
            storage.delete(&format!("{REQUEST}/"))?;
            put_blob(storage, ANSWER, &answer)?;
        }
        record.answer = ending.answer;
        record.tell_the_end(now_ms);
        put_json(storage, RECORD, &record)?;
    }
    Ok(accepted(wanted))
}

pub(crate) fn is_owner(request: &Request<Bytes>, owner: Option<&str>) -> bool {
    let tenant = request.headers().get(TENANT).map(|tenant| {
        percent_encoding::percent_decode(tenant.as_bytes())
            .decode_utf8_lossy()
            .into_owned()
    });
    tenant.as_deref() == owner
}

pub(crate) fn accepted(wanted: bool) -> Response<Bytes> {
    status(if wanted {
        StatusCode::NO_CONTENT
    } else {
        StatusCode::CONFLICT
    })
}

pub(crate) fn status(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}
