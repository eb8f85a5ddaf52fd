use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use edge_ai_core::{Error, ErrorKind, Timestamp};

use super::strategy::stable_hash;

/// How many failures in a row open the breaker.
const FAILURES: u32 = 3;
/// How long it is open at first; each failed probe doubles it.
const FIRST_OPEN: Duration = Duration::from_secs(1);
/// How long it is open at most.
const MAX_OPEN: Duration = Duration::from_secs(60);
/// A `Retry-After` is kept to for this long at most: a vendor's mistake must not cost a day.
const MAX_COOL_DOWN: Duration = Duration::from_secs(300);
/// A probe that says nothing for this long no longer keeps others from probing: its request may have been killed.
const PROBE: Duration = Duration::from_secs(60);
/// How many targets are remembered. A name comes from a request, and only failures are remembered: about 200 KiB.
const CAPACITY: usize = 1_024;

/// Which targets rest, and until when, for all requests of an isolate.
///
/// Plain memory: a request leaves what it learnt and reads what others left, and none waits for another.
#[derive(Debug, Default)]
pub(super) struct Health(Mutex<HashMap<Arc<str>, State>>);

/// Whether a target may be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// It may.
    Free,
    /// It may, as the one call that finds out whether it works again.
    Probe,
    /// It has failed of late: others first.
    Open,
    /// It has asked not to be called before this time.
    CoolingDown(Timestamp),
}

/// What a call says about its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// It works.
    Works,
    /// It does not, whoever asks.
    Fails,
    /// It does not, and that may be the doing of whoever asked: a tenant's prompts can be such that every answer takes too long or breaks.
    MayFail,
    /// It asks for a pause.
    Limits(Duration),
    /// It asks for a pause since it does not work.
    FailsAndLimits(Duration),
    /// Nothing: the request was wrong, or its caller left.
    Nothing,
}

impl Finding {
    /// What a failure says about the target. What may be the caller's own doing says nothing: one caller must not close a target to others.
    pub(super) fn of(error: &Error) -> Self {
        match (error.kind(), error.retry_after()) {
            (ErrorKind::RateLimited, Some(wait)) => Self::Limits(wait),
            (ErrorKind::Unavailable, Some(wait)) => Self::FailsAndLimits(wait),
            // A server can be brought to fail by what it is asked; a gateway before it tells that the server is not there.
            (ErrorKind::Unavailable, None) if error.status() == 500 => Self::MayFail,
            (ErrorKind::QuotaExceeded | ErrorKind::Authentication | ErrorKind::Unavailable, _) => Self::Fails,
            (
                ErrorKind::RateLimited | ErrorKind::Timeout | ErrorKind::BadUpstream | ErrorKind::Interrupted,
                _,
            ) => Self::MayFail,
            _ => Self::Nothing,
        }
    }

    /// What is new in it for a request that has found it before.
    pub(super) const fn repeated(self) -> Self {
        match self {
            Self::Fails | Self::MayFail => Self::Nothing,
            Self::FailsAndLimits(wait) => Self::Limits(wait),
            news => news,
        }
    }
}

/// Whose call it was, when it began, and how it was let through.
#[derive(Clone, Copy, Debug)]
pub(super) struct Witness<'a> {
    pub(super) tenant: Option<&'a str>,
    pub(super) began: Timestamp,
    pub(super) admission: Admission,
}

/// For whom a target rests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum For {
    /// Nobody has failed there.
    #[default]
    Nobody,
    /// For the only tenant that has failed there, by its hash.
    One(u64),
    /// For all: two tenants have failed there, or it is the vendor's alone.
    All,
}

impl For {
    fn and(self, tenant: Option<&str>) -> Self {
        let new = hash(tenant);
        match self {
            Self::Nobody => Self::One(new),
            Self::One(known) if known == new => self,
            Self::One(_) | Self::All => Self::All,
        }
    }

    fn concerns(self, tenant: Option<&str>) -> bool {
        match self {
            Self::One(known) => known == hash(tenant),
            Self::Nobody | Self::All => true,
        }
    }
}

fn hash(tenant: Option<&str>) -> u64 {
    stable_hash(tenant)
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// In a row, while the breaker is closed.
    failures: u32,
    /// Whose.
    of: For,
    open: Option<Open>,
    cool_until: Timestamp,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    since: Timestamp,
    span: Duration,
    /// The probe under way began then.
    probe: Option<Timestamp>,
}

impl Health {
    /// Asks before a call. After [`Admission::Probe`] the call has to be made, and [`note`](Self::note)d.
    pub(super) fn admit(&self, target: &str, tenant: Option<&str>, now: Timestamp) -> Admission {
        let mut states = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(state) = states.get_mut(target) else {
            return Admission::Free;
        };
        if let Some(until) = state.cooling(now) {
            return Admission::CoolingDown(until);
        }
        let concerned = state.of.concerns(tenant);
        let Some(open) = state.open.as_mut().filter(|_| concerned) else {
            return Admission::Free;
        };
        if open.rests(now) {
            return Admission::Open;
        }
        open.probe = Some(now);
        Admission::Probe
    }

    /// Whether it may be called without finding out something for others.
    pub(super) fn is_free(&self, target: &str, tenant: Option<&str>, now: Timestamp) -> bool {
        let states = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        states.get(target).is_none_or(|state| {
            let open = state.open.is_some() && state.of.concerns(tenant);
            !open && state.cooling(now).is_none()
        })
    }

    /// Takes down what a call says.
    pub(super) fn note(&self, target: &Arc<str>, finding: Finding, witness: Witness<'_>, now: Timestamp) {
        let mut states = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(state) = states.get_mut(target) else {
            let mut state = State::default();
            state.note(finding, witness, now);
            if !state.is_clear() {
                make_room(&mut states);
                states.insert(Arc::clone(target), state);
            }
            return;
        };
        state.note(finding, witness, now);
        if state.is_clear() {
            states.remove(target);
        }
    }
}

impl Open {
    /// Whether it is left alone, or tried by another one now.
    fn rests(&self, now: Timestamp) -> bool {
        // A clock that has gone back is before it all.
        let during = |since: Timestamp, span| since <= now && now < since + span;
        during(self.since, self.span) || self.probe.is_some_and(|since| during(since, PROBE))
    }
}

impl State {
    fn note(&mut self, finding: Finding, witness: Witness<'_>, now: Timestamp) {
        let Witness {
            tenant,
            began,
            admission,
        } = witness;
        if self.cooling(now).is_none() {
            self.cool_until = Timestamp::default();
        }
        let probe = admission == Admission::Probe;
        if probe && let Some(open) = &mut self.open {
            open.probe = None;
        }
        match finding {
            Finding::Works => self.works(probe, began),
            Finding::Fails => self.fails(For::All, probe, began, now),
            Finding::MayFail => self.fails(self.of.and(tenant), probe, began, now),
            Finding::Limits(wait) => self.cool_down(wait, now),
            Finding::FailsAndLimits(wait) => {
                self.fails(For::All, probe, began, now);
                self.cool_down(wait, now);
            }
            Finding::Nothing => {}
        }
    }

    fn works(&mut self, probe: bool, began: Timestamp) {
        // An answer to a call from before it broke is old news.
        if probe || self.open.is_none_or(|open| began >= open.since) {
            self.open = None;
            self.failures = 0;
            self.of = For::Nobody;
        }
    }

    fn fails(&mut self, of: For, probe: bool, began: Timestamp, now: Timestamp) {
        self.of = of;
        let span = match &self.open {
            // One outage fails all the calls that are under way: that is one piece of news. A call that was made for want of others is none.
            Some(open) if !probe && began < open.since + open.span => return,
            Some(open) => open.span.saturating_mul(2).min(MAX_OPEN),
            None => {
                self.failures = self.failures.saturating_add(1);
                if self.failures < FAILURES {
                    return;
                }
                FIRST_OPEN
            }
        };
        self.open = Some(Open {
            since: now,
            span,
            probe: None,
        });
    }

    fn cool_down(&mut self, wait: Duration, now: Timestamp) {
        let until = now + wait.min(MAX_COOL_DOWN);
        self.cool_until = self.cooling(now).map_or(until, |known| known.max(until));
    }

    /// Until when it is left alone. A time that is further away than any can be is from before the clock went back.
    fn cooling(&self, now: Timestamp) -> Option<Timestamp> {
        let left = self.cool_until.since(now);
        (!left.is_zero() && left <= MAX_COOL_DOWN).then_some(self.cool_until)
    }

    fn is_clear(&self) -> bool {
        self.failures == 0 && self.open.is_none() && self.cool_until == Timestamp::default()
    }

    /// Until when it keeps requests away.
    fn rests_until(&self) -> Timestamp {
        let open = self
            .open
            .map_or(Timestamp::default(), |open| open.since + open.span);
        self.cool_until.max(open)
    }
}

/// Forgets an eighth of the targets, those that are the first to be called again, once all places are taken: each search makes room for
/// many, and a flood of names does not wake who rests for long.
fn make_room(states: &mut HashMap<Arc<str>, State>) {
    if states.len() < CAPACITY {
        return;
    }
    let mut order: Vec<_> = states
        .iter()
        .map(|(name, state)| (state.rests_until(), Arc::clone(name)))
        .collect();
    order.sort_unstable();
    for (_, name) in order.into_iter().take(CAPACITY / 8) {
        states.remove(&name);
    }
}

#[cfg(test)]
mod tests;
