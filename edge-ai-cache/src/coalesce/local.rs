use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use edge_ai_core::{Body, CacheKey, Clock, Result};

use super::CoalescingRooms;
use super::room::Room;
use super::serve::serve;

/// Rooms in the memory of one process: for native servers, whose requests may wait for each other.
///
/// A Worker's requests may not; it has `WorkerRooms`.
#[derive(Debug)]
pub struct LocalRooms {
    clock: Arc<dyn Clock>,
    rooms: Mutex<HashMap<CacheKey, Arc<Room>>>,
}

impl LocalRooms {
    /// No rooms yet.
    pub fn new(clock: impl Clock) -> Self {
        Self {
            clock: Arc::new(clock),
            rooms: Mutex::default(),
        }
    }

    fn room(&self, key: &CacheKey) -> Arc<Room> {
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        // A room that nobody else holds is empty.
        if rooms.len() >= rooms.capacity() {
            rooms.retain(|_, room| Arc::strong_count(room) > 1);
        }
        let room = rooms
            .entry(key.clone())
            .or_insert_with(|| Arc::new(Room::new(Arc::clone(&self.clock))));
        Arc::clone(room)
    }
}

#[async_trait]
impl CoalescingRooms for LocalRooms {
    async fn ask(&self, key: &CacheKey, request: http::Request<Body>) -> Result<http::Response<Body>> {
        Ok(serve(self.room(key), request).await)
    }
}
