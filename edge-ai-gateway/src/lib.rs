#![doc = include_str!("../README.md")]

mod access;
mod admin;
mod batches;
mod builder;
mod gateway;
mod jobs;
mod limit;
mod pass;
mod patience;
mod report;
#[cfg(feature = "ring")]
mod ring_crypto;
mod route;
mod site;
mod surface;
mod usage;
mod vendor_keys;
#[cfg(feature = "worker")]
mod worker;

pub use access::{
    ApiKeys, Authenticator, ClaimMapping, Jwt, JwtAlgorithm, KeyRecord, KeySettings, ModelPermissions,
    Presented, Principal, SignatureVerifier, VirtualKey, VirtualKeys,
};
pub use admin::{Admin, AdminTokens};
#[cfg(feature = "worker")]
pub use batches::R2Files;
pub use batches::{FileStore, MemoryFiles, StoredFile};
pub use builder::GatewayBuilder;
pub use gateway::{Caller, Gateway};
#[cfg(feature = "long-work")]
pub use jobs::JobObject;
#[cfg(feature = "worker")]
pub use jobs::WorkerJobs;
pub use jobs::{JobObjects, LocalJobs, LongWork};
#[cfg(feature = "worker")]
pub use limit::RateLimitBinding;
#[cfg(feature = "leases")]
pub use limit::{DurableLeases, LimitOffice};
pub use limit::{KvLimits, Limit, Limits};
pub use pass::PassThrough;
pub use report::{Dashboard, MetricsPage};
#[cfg(feature = "ring")]
pub use ring_crypto::RingCrypto;
pub use route::{
    Affinity, Condition, FallbackOn, HedgeAfter, KeyValuePaces, Matching, PaceSnapshot, PaceStore,
    RetryPolicy, Route, RouteTable, Router, Timeouts,
};
pub use site::Site;
#[cfg(feature = "worker")]
pub use usage::{AnalyticsUsageLog, D1UsageLog, QueueUsageLog, R2Captures, R2UsageLog, keep_queued_usage};
pub use usage::{Capture, CaptureStore, JsonLog, LogLine, OtlpExporter, PriceTable, UsageFallback};
pub use vendor_keys::{Cipher, CredentialSource, MasterKeys, VendorKeys};
#[cfg(feature = "worker")]
pub use worker::unavailable;
