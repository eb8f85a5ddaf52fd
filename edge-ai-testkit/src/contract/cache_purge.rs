//! The contract of [`CachePurge`], held to a cached model that it purges.

use std::sync::Arc;
use std::time::Duration;

use edge_ai_core::{
    CachePurge, CacheStatus, ChatModel, ChatRequest, Clock, Context, ErrorKind, ManualClock, Purge,
};

use super::fails_with;
use crate::case::{cases, ensure};
use crate::scope::Scope;
use crate::{Case, Check, Must, Stop, Subject};

/// A cached model, and what purges its answers.
#[derive(Clone, Debug)]
pub struct CachePurgeSubject {
    model: Arc<dyn ChatModel>,
    purge: Arc<dyn CachePurge>,
    clock: Arc<dyn Clock>,
    scope: Scope,
}

impl CachePurgeSubject {
    /// `model` notes in a request's [trail](edge_ai_core::Trail) whether an answer was kept, and keeps it before it answers where there is no
    /// background. The model behind it answers anything. It goes by a clock that jumps unless told otherwise.
    pub fn new(model: impl ChatModel, purge: impl CachePurge) -> Self {
        Self {
            model: Arc::new(model),
            purge: Arc::new(purge),
            clock: Arc::new(ManualClock::default()),
            scope: Scope::default(),
        }
    }

    /// Waits by this clock.
    #[must_use]
    pub fn with_clock(self, clock: impl Clock) -> Self {
        Self {
            clock: Arc::new(clock),
            ..self
        }
    }

    /// Asks questions of this run alone, for a cache that outlives the run.
    #[must_use]
    pub fn with_scope(mut self, run: impl Into<String>) -> Self {
        self.scope.set_run(run);
        self
    }

    fn name(&self, label: &str) -> String {
        self.scope.digest(label)
    }

    async fn ask(&self, tenant: &str, tag: &str) -> Result<CacheStatus, Stop> {
        let mut request = ChatRequest::new(self.name("model")).user("hello");
        request.context = Context::default().with_tenant(self.name(tenant));
        request.context.cache.tags = vec![self.name(tag).into()];
        let trail = request.context.trail.clone();
        self.model.chat(request).await.must("the model answers")?;
        trail.cache().must("the cache says what it did")
    }

    /// Forgets, and lets the clock go on: what is asked for in the same instant would go with it.
    async fn forget(&self, purge: Purge) -> Check {
        self.pause().await;
        self.purge.purge(&purge).await.must("a purge is taken")?;
        self.pause().await;
        Ok(())
    }

    async fn pause(&self) {
        self.clock.sleep(Duration::from_millis(5)).await;
    }

    async fn is(&self, status: CacheStatus, tenant: &str, sentence: &str) -> Check {
        let found = self.ask(tenant, "tag").await?;
        ensure!(found == status, "{sentence}: it is a {found}, not a {status}");
        Ok(())
    }
}

impl Subject for CachePurgeSubject {
    fn enter(&mut self, case: &'static str) {
        self.scope.set_case(case);
    }
}

/// The cases.
pub fn cases() -> Vec<Case<CachePurgeSubject>> {
    cases![
        an_answer_goes_with_its_tag,
        an_answer_goes_with_its_tenant_and_no_other,
        an_answer_goes_with_its_model,
        an_answer_goes_with_everything,
        all_parts_of_a_purge_must_fit,
        a_name_that_is_too_long_is_refused,
    ]
}

async fn purged_by(subject: &CachePurgeSubject, purge: Purge) -> Check {
    subject
        .is(CacheStatus::Miss, "a", "the first answer is new")
        .await?;
    subject.is(CacheStatus::Hit, "a", "the second is kept").await?;
    subject.forget(purge).await?;
    subject
        .is(CacheStatus::Miss, "a", "a purged answer is not given")
        .await?;
    subject
        .is(CacheStatus::Hit, "a", "what comes after a purge is kept")
        .await
}

async fn an_answer_goes_with_its_tag(subject: CachePurgeSubject) -> Check {
    purged_by(&subject, Purge::everything().tagged(subject.name("tag"))).await
}

async fn an_answer_goes_with_its_tenant_and_no_other(subject: CachePurgeSubject) -> Check {
    subject
        .is(CacheStatus::Miss, "b", "the first answer is new")
        .await?;
    purged_by(&subject, Purge::everything().of_tenant(subject.name("a"))).await?;
    subject
        .is(CacheStatus::Hit, "b", "another tenant's is left")
        .await
}

async fn an_answer_goes_with_its_model(subject: CachePurgeSubject) -> Check {
    purged_by(&subject, Purge::everything().of_model(subject.name("model"))).await
}

async fn an_answer_goes_with_everything(subject: CachePurgeSubject) -> Check {
    purged_by(&subject, Purge::everything()).await
}

async fn all_parts_of_a_purge_must_fit(subject: CachePurgeSubject) -> Check {
    subject
        .is(CacheStatus::Miss, "a", "the first answer is new")
        .await?;
    let tag = Purge::everything().tagged(subject.name("tag"));
    for other in [
        tag.clone().of_tenant(subject.name("b")),
        tag.clone().of_model(subject.name("other")),
        Purge::everything()
            .of_tenant(subject.name("a"))
            .tagged(subject.name("other")),
    ] {
        subject.forget(other).await?;
        subject
            .is(CacheStatus::Hit, "a", "an answer that fits in part is left")
            .await?;
    }
    let fitting = tag.of_tenant(subject.name("a")).of_model(subject.name("model"));
    purged_after(&subject, fitting).await
}

async fn purged_after(subject: &CachePurgeSubject, purge: Purge) -> Check {
    subject.forget(purge).await?;
    subject
        .is(CacheStatus::Miss, "a", "one that fits in all is not given")
        .await
}

async fn a_name_that_is_too_long_is_refused(subject: CachePurgeSubject) -> Check {
    let purge = Purge::everything().tagged("x".repeat(1 << 16));
    let outcome = subject.purge.purge(&purge).await;
    fails_with(outcome, ErrorKind::InvalidRequest, "a name of 64 KiB is refused")
}
