#![doc = include_str!("../README.md")]

mod background;
mod cache;
mod calendar;
mod chat;
mod context;
mod credentials;
mod database;
mod embedding;
mod entropy;
mod error;
mod http_client;
mod json;
mod key_value;
mod keyword;
mod limit;
mod money;
mod native_api;
mod price;
mod provider;
mod public_url;
mod purge;
mod rerank;
mod secret;
mod semantic;
mod sse;
mod time;
mod tokens;
mod trace;
mod usage;
mod vector;
mod verbatim;
mod web_socket;

pub use async_trait::async_trait;
pub use bytes::Bytes;

pub use background::{Background, Inline};
pub use cache::{Cache, CacheKey};
pub use chat::{
    AudioPart, ChatAccumulator, ChatEvent, ChatFrame, ChatInput, ChatModel, ChatOutput, ChatRequest,
    ChatResponse, ChatStart, ChatStream, ContentPart, FilePart, FinishReason, FunctionTool, ImagePart, Media,
    Message, ReasoningConfig, ReasoningDelta, ReasoningPart, ResponseFormat, Role, TextPart, Tool, ToolCall,
    ToolCallDelta, ToolChoice, ToolResult,
};
pub use context::{
    Attempt, Backoff, CacheMode, CachePolicy, CacheStatus, Context, GuardAction, GuardNote, RetryWishes,
    Trail,
};
pub use credentials::{Credential, Credentials};
pub use database::{Database, Row, SqlValue, Statement, read_row};
pub use embedding::{
    EmbeddingInput, EmbeddingModel, EmbeddingOutput, EmbeddingPurpose, EmbeddingRequest, EmbeddingResponse,
    EmbeddingText,
};
pub use entropy::{Entropy, SeededEntropy};
pub use error::{Error, ErrorKind, Result};
pub use http_client::{Body, BodySource, HttpClient};
pub use json::{Dialect, Extra, JsonObject, RawJson};
pub use key_value::{KeyPage, KeyValue};
pub use keyword::{KeywordMatch, KeywordMode, KeywordQuery, KeywordRecord, KeywordStore};
pub use limit::{
    Decision, Gcra, IsolateLimits, KeyedTokenBuckets, LeaseAsk, LeaseFallback, LeaseGrant, LeaseLedger,
    LeaseOffice, LeaseOptions, LeaseTerms, LeasedLimits, LimitAccount, LimitBackend, LimitFilter, LimitHold,
    LimitKey, LimitMeasure, LimitOutcome, LimitRule, LimitScope, LimitWindow, Quota, RateLimiter,
    TokenBucket,
};
pub use money::Money;
pub use native_api::NativeApi;
pub use price::{Price, Rates, TokenPrice};
pub use provider::{Capabilities, ModelInfo, Provider};
pub use public_url::check_public_url;
pub use purge::{CachePurge, Purge};
pub use rerank::{RerankRequest, RerankResponse, RerankResult, Reranker};
pub use secret::Secret;
pub use semantic::{SemanticIndex, SemanticLesson, SemanticMatch, SemanticQuestion};
pub use sse::{SseDecoder, SseEvent};
pub use time::{Clock, ManualClock, Timestamp, timeout};
pub use tokens::{
    TokenCount, TokenCounter, estimate_input_tokens, estimate_tokens, first_tokens, last_tokens,
};
pub use trace::{SpanId, TraceContext, TraceId};
pub use usage::{Operation, Outcome, ServiceTier, Usage, UsageRecord, UsageSink};
pub use vector::{
    Comparison, Condition, Filter, Metric, Mutation, ReturnMetadata, StoreInfo, VectorCapabilities,
    VectorMatch, VectorQuery, VectorRecord, VectorStore, wait_visible,
};
pub use verbatim::{Native, Verbatim};
pub use web_socket::{Handshake, OnUpgrade, WebSocket, WebSocketClose, WebSocketMessage};

/// Every trait object of the vocabulary crosses threads, on every target.
const _: () = {
    const fn send_sync<T: ?Sized + Send + Sync>() {}
    send_sync::<dyn ChatModel>();
    send_sync::<dyn EmbeddingModel>();
    send_sync::<dyn Reranker>();
    send_sync::<dyn TokenCounter>();
    send_sync::<dyn NativeApi>();
    send_sync::<dyn Provider>();
    send_sync::<dyn Cache>();
    send_sync::<dyn KeyValue>();
    send_sync::<dyn Database>();
    send_sync::<dyn CachePurge>();
    send_sync::<dyn SemanticIndex>();
    send_sync::<dyn VectorStore>();
    send_sync::<dyn KeywordStore>();
    send_sync::<dyn RateLimiter>();
    send_sync::<dyn LimitBackend>();
    send_sync::<dyn LeaseOffice>();
    send_sync::<dyn UsageSink>();
    send_sync::<dyn HttpClient>();
    send_sync::<dyn WebSocket>();
    send_sync::<dyn Clock>();
    send_sync::<dyn Entropy>();
    send_sync::<dyn Background>();
    send_sync::<Error>();
    send_sync::<ChatRequest>();
    send_sync::<ChatResponse>();
};
