//! The simplest implementations that keep what they are given, for tests of what stands on them.

mod usage_sink;

pub use usage_sink::MemoryUsageSink;
