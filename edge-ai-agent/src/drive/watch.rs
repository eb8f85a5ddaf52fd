use std::collections::VecDeque;
use std::fmt;

use edge_ai_core::Result;
use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use std::pin::Pin;
use std::task::{Context, Poll};

use super::driver::Driver;
use super::feed::{Batch, Subscription};
use crate::RunEvent;
use crate::journal::LogReader;

/// The [events](RunEvent) of a turn with their numbers, in order and without gaps.
pub struct Watch(BoxStream<'static, Result<(u64, RunEvent)>>);

impl Watch {
    pub(super) fn new(driver: Driver, news: Subscription, log: Option<LogReader>, from: u64) -> Self {
        let Some(log) = log else {
            return Self(stream::empty().boxed());
        };
        let watcher = Watcher {
            driver,
            news,
            log,
            next: from,
            ready: VecDeque::new(),
            ended: false,
        };
        Self(
            stream::unfold(Some(watcher), |watcher| async {
                let mut watcher = watcher?;
                match watcher.next().await {
                    Ok(event) => event.map(|event| (Ok(event), Some(watcher))),
                    Err(error) => Some((Err(error), None)),
                }
            })
            .boxed(),
        )
    }
}

impl Stream for Watch {
    type Item = Result<(u64, RunEvent)>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(context)
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}

struct Watcher {
    driver: Driver,
    news: Subscription,
    log: LogReader,
    next: u64,
    ready: VecDeque<(u64, RunEvent)>,
    /// Whether the last event was an end, if only until people answer.
    ended: bool,
}

impl Watcher {
    async fn next(&mut self) -> Result<Option<(u64, RunEvent)>> {
        loop {
            if let Some((at, event)) = self.ready.pop_front() {
                self.next = at + 1;
                self.ended = matches!(event, RunEvent::Ended { .. });
                return Ok(Some((at, event)));
            }
            let driven = self.driver.inbox.is_driven();
            self.ready = self.log.read(self.next).await?.into();
            if !self.ready.is_empty() {
                continue;
            }
            if !driven && (self.ended || self.nothing_to_come().await?) {
                return Ok(None);
            }
            // What has been told since is taken as it was told, so that the log is not read for every delta.
            while self.ready.is_empty() {
                match self.news.next().await {
                    Some(batch) if batch.turn != self.log.turn => return Ok(None),
                    Some(batch) if batch.first > self.next => break,
                    Some(batch) => self.ready = self.unseen(&batch),
                    None => break,
                }
            }
        }
    }

    fn unseen(&self, batch: &Batch) -> VecDeque<(u64, RunEvent)> {
        let numbered = batch.events.iter().zip(batch.first..);
        let unseen = numbered.filter(|(_, at)| *at >= self.next);
        unseen.map(|(event, at)| (at, event.clone())).collect()
    }

    /// Whether the turn is over, or waits for people: then whoever has seen everything need not wait.
    async fn nothing_to_come(&self) -> Result<bool> {
        let current = self.driver.current().await?;
        Ok(current.is_none_or(|run| run.outcome().is_some()))
    }
}
