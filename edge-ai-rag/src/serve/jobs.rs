use std::time::Duration;

use edge_ai_core::{Body, Error, ErrorKind, Result};
use futures_util::StreamExt as _;
use http::{Response, StatusCode};

use super::{Access, Asked, RagService, event, events, failure, json};

/// How often a watched job is looked at.
const LOOK: Duration = Duration::from_secs(1);

impl<A: Access> RagService<A> {
    pub(super) async fn job(&self, asked: &Asked<'_>, id: &str) -> Result<Response<Body>> {
        let namespace = asked.namespace()?;
        let job = self.index.job(&namespace, id).await?;
        if !asked.wants_events() {
            return json(StatusCode::OK, &job);
        }
        let watched = self
            .index
            .watch(namespace, id.to_owned(), LOOK, self.limits.watch);
        Ok(events(watched.map(|job| {
            Ok(match job {
                Ok(job) => event("job", &job),
                Err(error) => event("error", &failure::body(&error)),
            })
        })))
    }

    pub(super) async fn retry(&self, asked: &Asked<'_>, id: &str) -> Result<Response<Body>> {
        if id.is_empty() {
            return Err(Error::new(ErrorKind::NotFound, "there is no job without a name"));
        }
        let job = self.index.retry(&asked.namespace()?, id).await?;
        json(StatusCode::ACCEPTED, &job)
    }
}
