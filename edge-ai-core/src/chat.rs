//! Chat: the model trait, requests, answers whole and streamed, messages, tools.

mod accumulate;
mod message;
mod model;
mod request;
mod response;
mod stream;
mod tool;

pub use accumulate::ChatAccumulator;
pub use message::{
    AudioPart, ContentPart, FilePart, ImagePart, Media, Message, ReasoningPart, Role, TextPart,
};
pub use model::ChatModel;
pub use request::{ChatInput, ChatRequest, ReasoningConfig, ResponseFormat};
pub use response::{ChatOutput, ChatResponse, FinishReason};
pub use stream::{ChatEvent, ChatFrame, ChatStart, ChatStream, ReasoningDelta, ToolCallDelta};
pub use tool::{FunctionTool, Tool, ToolCall, ToolChoice, ToolResult};
