use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use edge_ai_core::{Clock, Timestamp};

use super::piece::{Piece, mark};

/// Where those who ask for one key meet: who leads, what has arrived so far, who waits.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Counts the answers: a follower belongs to one of them.
    answer: u64,
    lease: Option<Lease>,
    tokens: u64,
    /// The pieces that are held, and how many came before them.
    pieces: VecDeque<Bytes>,
    gone: usize,
    bytes: usize,
    /// Whether content has arrived: nobody can start anew.
    begun: bool,
    /// When the answer was whole.
    ended: Option<Timestamp>,
    /// Whether it ended in a failure, or broke off.
    failed: bool,
    broken: bool,
    takeovers: u32,
    followers: usize,
    wakers: Vec<Waker>,
}

#[derive(Debug)]
struct Lease {
    token: u64,
    seen: Timestamp,
    lost: bool,
}

/// What one who comes is to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Lead, with this token.
    Lead(u64),
    /// Follow the answer of this number.
    Follow(u64),
    /// Ask for itself: there is no room left.
    Alone,
}

impl Room {
    /// How long a leader may give no sign of life.
    pub(super) const LEASE: Duration = Duration::from_secs(15);

    /// How long a whole answer is handed out after its end: until it can be found in the cache.
    pub(super) const LINGER: Duration = Duration::from_secs(2);

    /// The most bytes that are held.
    const MAX_BYTES: usize = 2 << 20;

    /// The most who follow at once.
    const MAX_FOLLOWERS: usize = 512;

    /// How often a lost leader is replaced.
    const MAX_TAKEOVERS: u32 = 2;

    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            state: Mutex::default(),
        }
    }

    /// Somebody comes.
    pub(super) fn enter(&self) -> Role {
        let now = self.clock.now();
        self.with(|state| {
            if state.can_be_followed(now) {
                // The beginning must still be there.
                if state.gone > 0 || state.followers >= Self::MAX_FOLLOWERS {
                    return Role::Alone;
                }
                state.followers += 1;
                return Role::Follow(state.answer);
            }
            state.clear();
            Role::Lead(state.lend(now))
        })
    }

    /// A follower goes.
    pub(super) fn leave(&self) {
        self.with(|state| state.followers = state.followers.saturating_sub(1));
    }

    pub(super) fn followers(&self) -> usize {
        self.with(|state| state.followers)
    }

    /// A piece from the leader of a token; `false` when it leads no longer.
    pub(super) fn add(&self, token: u64, piece: Bytes) -> bool {
        let now = self.clock.now();
        self.with(|state| {
            let Some(lease) = state.lease.as_mut().filter(|lease| lease.token == token) else {
                return false;
            };
            if lease.lost || state.ended.is_some() {
                return false;
            }
            lease.seen = now;
            let mark = piece.first().copied().unwrap_or(mark::ALIVE);
            if mark == mark::ALIVE {
                return true;
            }
            state.begun |= mark != mark::DIALECT;
            state.failed = mark == mark::FAILED;
            if matches!(mark, mark::LAST | mark::WHOLE | mark::FAILED) {
                state.ended = Some(now);
            }
            state.bytes += piece.len();
            state.pieces.push_back(piece);
            // The newest piece stays, however large, for those who wait for it.
            while state.bytes > Self::MAX_BYTES
                && state.pieces.len() > 1
                && let Some(piece) = state.pieces.pop_front()
            {
                state.bytes -= piece.len();
                state.gone += 1;
            }
            true
        })
    }

    /// The leader of a token says no more.
    pub(super) fn lost(&self, token: u64) {
        self.with(|state| {
            if state.ended.is_none()
                && let Some(lease) = state.lease.as_mut().filter(|lease| lease.token == token)
            {
                lease.lost = true;
            }
        });
    }

    /// The answer of the leader of a token is handed out no longer.
    pub(super) fn close(&self, token: u64) {
        self.with(|state| {
            if state.lease.as_ref().is_some_and(|lease| lease.token == token) {
                state.closed();
            }
        });
    }

    /// The piece at a place of an answer; `None` after the last.
    pub(super) fn poll_piece(
        &self,
        context: &mut Context<'_>,
        answer: u64,
        at: usize,
    ) -> Poll<Option<Bytes>> {
        let now = self.clock.now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.answer != answer || at < state.gone {
            return Poll::Ready(Piece::Broken.encode());
        }
        if let Some(piece) = state.pieces.get(at - state.gone) {
            return Poll::Ready(Some(piece.clone()));
        }
        if state.ended.is_some() {
            return Poll::Ready(None);
        }
        if !state.led(now) && !state.broken {
            if !state.begun && state.takeovers < Self::MAX_TAKEOVERS {
                state.takeovers += 1;
                state.pieces.clear();
                state.bytes = 0;
                let token = state.lend(now);
                return Poll::Ready(Piece::Lead(token).encode());
            }
            state.broken = true;
            state.wakers.drain(..).for_each(Waker::wake);
        }
        if state.broken {
            return Poll::Ready(Piece::Broken.encode());
        }
        if !state.wakers.iter().any(|waker| waker.will_wake(context.waker())) {
            state.wakers.push(context.waker().clone());
        }
        Poll::Pending
    }

    /// Changes the state, and wakes those who wait for a change.
    fn with<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let done = f(&mut state);
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
        done
    }
}

impl State {
    /// Whether somebody leads and lives.
    fn led(&self, now: Timestamp) -> bool {
        let alive = |lease: &Lease| !lease.lost && now.since(lease.seen) < Room::LEASE;
        self.lease.as_ref().is_some_and(alive)
    }

    fn can_be_followed(&self, now: Timestamp) -> bool {
        match self.ended {
            Some(ended) => !self.failed && now.since(ended) < Room::LINGER,
            // One that lost its leader before it began, with others who wait, gets a new one from among them.
            None => !self.broken && (self.led(now) || (!self.begun && self.followers > 0)),
        }
    }

    /// Makes somebody the leader.
    fn lend(&mut self, now: Timestamp) -> u64 {
        self.tokens += 1;
        self.lease = Some(Lease {
            token: self.tokens,
            seen: now,
            lost: false,
        });
        self.tokens
    }

    /// Makes room for another answer; who followed the one before finds it broken off.
    fn clear(&mut self) {
        *self = Self {
            answer: self.answer + 1,
            tokens: self.tokens,
            followers: self.followers,
            wakers: std::mem::take(&mut self.wakers),
            ..Self::default()
        };
    }

    /// Lets go of what is held, once nobody reads it.
    fn closed(&mut self) {
        if self.followers == 0 {
            self.clear();
        } else {
            // Those who read on have the rest; nobody new comes.
            self.failed = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge_ai_core::{ChatEvent, ChatFrame, ChatResponse, Error, ErrorKind, ManualClock};
    use std::task::Waker;

    fn room() -> (ManualClock, Room) {
        let clock = ManualClock::new(Timestamp::from_millis(1));
        (clock.clone(), Room::new(Arc::new(clock)))
    }

    fn text(text: &str) -> Bytes {
        Piece::frame(&ChatFrame::new(vec![ChatEvent::Text(text.into())])).unwrap()
    }

    fn whole() -> Bytes {
        Piece::whole(&ChatResponse::default()).unwrap()
    }

    fn failure() -> Bytes {
        Piece::failed(&Error::new(ErrorKind::Unavailable, "down")).unwrap()
    }

    fn next(room: &Room, answer: u64, at: usize) -> Poll<Option<u8>> {
        let polled = room.poll_piece(&mut Context::from_waker(Waker::noop()), answer, at);
        polled.map(|piece| piece.map(|piece| piece[0]))
    }

    fn lead(room: &Room) -> u64 {
        match room.enter() {
            Role::Lead(token) => token,
            role => panic!("{role:?}"),
        }
    }

    #[test]
    fn the_first_leads_and_the_others_follow_from_the_start() {
        let (_, room) = room();
        let token = lead(&room);
        assert_eq!(room.enter(), Role::Follow(1));
        assert_eq!(next(&room, 1, 0), Poll::Pending);
        assert!(room.add(token, text("a")));
        assert_eq!(next(&room, 1, 0), Poll::Ready(Some(mark::FRAME)));
        assert_eq!(next(&room, 1, 1), Poll::Pending);
        assert_eq!(room.enter(), Role::Follow(1), "late, and from the start");
        assert!(room.add(token, whole()));
        assert_eq!(next(&room, 1, 1), Poll::Ready(Some(mark::WHOLE)));
        assert_eq!(next(&room, 1, 2), Poll::Ready(None));
        assert!(!room.add(token, text("late")), "nothing follows the end");
        assert_eq!(room.followers(), 2);
    }

    #[test]
    fn an_answer_lingers_and_a_failure_does_not() {
        let (clock, room) = room();
        let token = lead(&room);
        room.add(token, whole());
        assert_eq!(room.enter(), Role::Follow(1));
        clock.advance(Room::LINGER);
        let token = lead(&room);
        assert_eq!(room.enter(), Role::Follow(2));
        room.add(token, failure());
        assert_eq!(next(&room, 2, 0), Poll::Ready(Some(mark::FAILED)));
        assert_eq!(next(&room, 1, 0), Poll::Ready(Some(mark::BROKEN)));
        lead(&room);
    }

    #[test]
    fn a_leader_lost_before_content_is_replaced_by_one_who_waits_at_most_twice() {
        let (clock, room) = room();
        let first = lead(&room);
        for _ in 0..3 {
            room.enter();
        }
        room.lost(first);
        assert_eq!(next(&room, 1, 0), Poll::Ready(Some(mark::LEAD)));
        assert_eq!(next(&room, 1, 0), Poll::Pending, "one leads, the others wait on");
        assert!(!room.add(first, text("late")));
        // The second says nothing.
        clock.advance(Room::LEASE);
        assert_eq!(next(&room, 1, 0), Poll::Ready(Some(mark::LEAD)));
        clock.advance(Room::LEASE);
        assert_eq!(next(&room, 1, 0), Poll::Ready(Some(mark::BROKEN)));
        assert_eq!(next(&room, 1, 0), Poll::Ready(Some(mark::BROKEN)));
        lead(&room);
    }

    #[test]
    fn a_sign_of_life_is_one() {
        let (clock, room) = room();
        let token = lead(&room);
        room.enter();
        for _ in 0..3 {
            clock.advance(Room::LEASE - Duration::from_secs(1));
            assert!(room.add(token, Piece::Alive.encode().unwrap()));
            assert_eq!(next(&room, 1, 0), Poll::Pending);
        }
    }

    #[test]
    fn what_has_begun_breaks_off_with_its_leader() {
        let (_, room) = room();
        let token = lead(&room);
        room.enter();
        room.add(token, text("half"));
        room.lost(token);
        assert_eq!(next(&room, 1, 0), Poll::Ready(Some(mark::FRAME)));
        assert_eq!(next(&room, 1, 1), Poll::Ready(Some(mark::BROKEN)));
        lead(&room);
    }

    #[test]
    fn memory_is_bounded() {
        let (_, room) = room();
        let token = lead(&room);
        room.enter();
        let piece = text(&"x".repeat(Room::MAX_BYTES / 4));
        for _ in 0..20 {
            assert!(room.add(token, piece.clone()));
            assert!(room.with(|state| state.bytes) <= Room::MAX_BYTES);
        }
        assert_eq!(room.enter(), Role::Alone, "the beginning is gone");
        assert_eq!(next(&room, 1, 0), Poll::Ready(Some(mark::BROKEN)), "too slow");
        assert_eq!(next(&room, 1, 19), Poll::Ready(Some(mark::FRAME)));
        room.add(token, whole());
        room.leave();
        room.close(token);
        assert_eq!(room.with(|state| state.bytes), 0);
    }

    #[test]
    fn followers_are_bounded() {
        let (_, room) = room();
        lead(&room);
        for _ in 0..Room::MAX_FOLLOWERS {
            assert_eq!(room.enter(), Role::Follow(1));
        }
        assert_eq!(room.enter(), Role::Alone);
        room.leave();
        assert_eq!(room.enter(), Role::Follow(1));
    }
}
