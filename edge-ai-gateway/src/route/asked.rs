use std::cell::OnceCell;

use edge_ai_core::{
    Capabilities, ChatInput, ChatRequest, ContentPart, Context, EmbeddingInput, EmbeddingRequest,
    EmbeddingText, FunctionTool, Operation, RerankRequest, ResponseFormat, Tool, estimate_input_tokens,
    estimate_tokens,
};

use super::Passing;

/// What a route may look at in a request. Nothing is computed before it is asked for, and no text is read twice for its tokens.
#[derive(Clone, Debug)]
pub(super) struct Asked<'a> {
    pub(super) context: &'a Context,
    content: Content<'a>,
    model: &'a str,
    /// Whether the answer comes piece by piece.
    pub(super) stream: bool,
    input_tokens: OnceCell<u64>,
}

#[derive(Clone, Copy, Debug)]
enum Content<'a> {
    Chat(&'a ChatInput),
    Embedding(&'a EmbeddingInput),
    Rerank(&'a RerankRequest),
    /// A body of so many bytes that nobody reads here.
    Passed(u64, Operation),
}

/// About four bytes of English text make a token.
const BYTES_PER_TOKEN: u64 = 4;

/// The answer that is reckoned with when a request sets no limit, in tokens.
const EXPECTED_OUTPUT: u64 = 512;

impl<'a> Asked<'a> {
    pub(super) fn chat(request: &'a ChatRequest, stream: bool) -> Self {
        Self {
            context: &request.context,
            model: &request.model,
            content: Content::Chat(&request.input),
            stream,
            input_tokens: OnceCell::new(),
        }
    }

    pub(super) fn embedding(request: &'a EmbeddingRequest) -> Self {
        Self {
            context: &request.context,
            model: &request.model,
            content: Content::Embedding(&request.input),
            stream: false,
            input_tokens: OnceCell::new(),
        }
    }

    pub(super) fn rerank(request: &'a RerankRequest) -> Self {
        Self {
            context: &request.context,
            model: &request.model,
            content: Content::Rerank(request),
            stream: false,
            input_tokens: OnceCell::new(),
        }
    }

    /// A request that is passed on as it is.
    pub(super) const fn passed(passing: &Passing<'a>) -> Self {
        Self {
            context: passing.context,
            model: passing.name,
            content: Content::Passed(passing.bytes as u64, passing.operation),
            stream: passing.stream,
            input_tokens: OnceCell::new(),
        }
    }

    /// What a model must be able to do to answer.
    pub(super) fn needs(&self) -> Capabilities {
        let input = match self.content {
            Content::Chat(input) => input,
            Content::Embedding(_) => return Capabilities::EMBEDDINGS,
            Content::Rerank(_) => return Capabilities::RERANK,
            Content::Passed(..) => return Capabilities::default(),
        };
        let mut needs = Capabilities::CHAT;
        needs.tools = self.needs_tools();
        needs.vision = self.needs_vision();
        needs.json_schema = matches!(input.response_format, Some(ResponseFormat::JsonSchema { .. }));
        needs.reasoning = input.reasoning.as_ref().is_some_and(|reasoning| {
            reasoning.effort.as_deref() != Some("none") && reasoning.max_tokens != Some(0)
        });
        needs
    }

    pub(super) fn needs_tools(&self) -> bool {
        let Content::Chat(input) = self.content else {
            return false;
        };
        let call = |part: &ContentPart| matches!(part, ContentPart::ToolCall(_) | ContentPart::ToolResult(_));
        !input.tools.is_empty() || input.any_part(call)
    }

    pub(super) fn needs_vision(&self) -> bool {
        self.has_part(|part| matches!(part, ContentPart::Image(_)))
    }

    /// Whether there is such a part, in a message or in a tool's result.
    pub(super) fn has_part(&self, such: impl Fn(&ContentPart) -> bool) -> bool {
        let Content::Chat(input) = self.content else {
            return false;
        };
        input.any_part(|part| match part {
            ContentPart::ToolResult(result) => result.content.iter().any(&such),
            part => such(part),
        })
    }

    /// The name that is asked for.
    pub(super) const fn model(&self) -> &'a str {
        self.model
    }

    pub(super) const fn operation(&self) -> Operation {
        match self.content {
            Content::Chat(_) => Operation::Chat,
            Content::Embedding(_) => Operation::Embeddings,
            Content::Rerank(_) => Operation::Rerank,
            Content::Passed(_, operation) => operation,
        }
    }

    /// The bytes of text that a model has to read: messages, tools and schemas, without pictures, sound and documents.
    pub(super) fn text_bytes(&self) -> u64 {
        match self.content {
            Content::Passed(bytes, _) => bytes,
            Content::Chat(input) => {
                let messages = input.messages.iter().flat_map(|message| &message.content);
                let schema = match &input.response_format {
                    Some(ResponseFormat::JsonSchema { schema, .. }) => length(schema.get()),
                    _ => 0,
                };
                let tools = input.tools.iter().map(tool_bytes);
                messages
                    .map(part_bytes)
                    .chain(tools)
                    .fold(schema, u64::saturating_add)
            }
            Content::Embedding(input) => {
                let texts = input.texts.iter().map(|text| match text {
                    EmbeddingText::Text(text) => length(text),
                    EmbeddingText::Tokens(tokens) => count(tokens.len()).saturating_mul(BYTES_PER_TOKEN),
                    _ => 0,
                });
                texts.fold(0, u64::saturating_add)
            }
            // A reranker reads the query with each document.
            Content::Rerank(request) => {
                let query = length(&request.query);
                let pairs = request
                    .documents
                    .iter()
                    .map(|text| length(text).saturating_add(query));
                pairs.fold(0, u64::saturating_add)
            }
        }
    }

    /// About how many tokens a context window has to hold. The parts of a batch are read one by one.
    pub(super) fn prompt_tokens(&self) -> u64 {
        match self.content {
            Content::Chat(_) => self.input_tokens(),
            Content::Embedding(_) | Content::Rerank(_) | Content::Passed(..) => 0,
        }
    }

    /// About how many tokens it takes: of input, and of output.
    pub(super) fn expected_tokens(&self) -> (u64, u64) {
        let output = match self.content {
            Content::Passed(0, _) | Content::Embedding(_) | Content::Rerank(_) => 0,
            Content::Passed(..) => EXPECTED_OUTPUT,
            Content::Chat(input) => input.max_output_tokens.map_or(EXPECTED_OUTPUT, u64::from),
        };
        (self.input_tokens(), output)
    }

    fn input_tokens(&self) -> u64 {
        *self.input_tokens.get_or_init(|| self.content.tokens())
    }
}

impl Content<'_> {
    /// About how many tokens a model has to read.
    fn tokens(&self) -> u64 {
        match self {
            Self::Passed(bytes, _) => bytes / BYTES_PER_TOKEN,
            Self::Chat(input) => estimate_input_tokens(input),
            Self::Embedding(input) => {
                let texts = input.texts.iter().map(|text| match text {
                    EmbeddingText::Text(text) => estimate_tokens(text),
                    EmbeddingText::Tokens(tokens) => count(tokens.len()),
                    _ => 0,
                });
                texts.fold(0, u64::saturating_add)
            }
            // A reranker reads the query with each document.
            Self::Rerank(request) => {
                let query = estimate_tokens(&request.query);
                let pairs = request
                    .documents
                    .iter()
                    .map(|text| estimate_tokens(text).saturating_add(query));
                pairs.fold(0, u64::saturating_add)
            }
        }
    }
}

fn part_bytes(part: &ContentPart) -> u64 {
    match part {
        ContentPart::Text(part) => length(&part.text),
        ContentPart::Reasoning(part) => length(&part.text),
        ContentPart::Refusal(text) => length(text),
        ContentPart::ToolCall(call) => length(&call.name).saturating_add(length(&call.arguments)),
        // A result holds no results, so this ends.
        ContentPart::ToolResult(result) => result.content.iter().map(part_bytes).fold(0, u64::saturating_add),
        _ => 0,
    }
}

fn tool_bytes(tool: &Tool) -> u64 {
    let function = |tool: &FunctionTool| {
        let description = tool.description.as_deref().map_or(0, length);
        let parameters = tool.parameters.as_ref().map_or(0, |schema| length(schema.get()));
        length(&tool.name)
            .saturating_add(description)
            .saturating_add(parameters)
    };
    match tool {
        Tool::Function(tool) => function(tool),
        _ => 0,
    }
}

fn length(text: &str) -> u64 {
    count(text.len())
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge_ai_core::{Message, RawJson, ReasoningConfig, Role, ToolResult};

    #[test]
    fn needs_are_read_from_the_content() {
        let plain = ChatRequest::new("m").user("hi");
        assert_eq!(Asked::chat(&plain, false).needs(), Capabilities::CHAT);

        let schema = ResponseFormat::JsonSchema {
            name: "s".into(),
            description: None,
            schema: RawJson::parse("{}").unwrap(),
            strict: None,
        };
        let picture = ToolResult::new("1", vec![ContentPart::image_url("https://example.com/a.png")]);
        let rich = ChatRequest::new("m")
            .message(Message::new(Role::Tool, vec![ContentPart::ToolResult(picture)]))
            .response_format(schema)
            .reasoning(ReasoningConfig::effort("low"));
        let all = Capabilities::CHAT.tools().vision().json_schema().reasoning();
        assert_eq!(Asked::chat(&rich, false).needs(), all);

        let quick = plain.reasoning(ReasoningConfig::effort("none"));
        assert!(!Asked::chat(&quick, false).needs().reasoning);
        let embedding = EmbeddingRequest::new("m", ["a"]);
        assert_eq!(Asked::embedding(&embedding).needs(), Capabilities::EMBEDDINGS);
        let rerank = RerankRequest::new("m", "q", vec!["a".into()]);
        assert_eq!(Asked::rerank(&rerank).needs(), Capabilities::RERANK);
    }

    #[test]
    fn tokens_are_reckoned_from_the_text() {
        let request = ChatRequest::new("m")
            .system("12345678")
            .user("1234")
            .tool(FunctionTool::new(
                "f123",
                "1234",
                RawJson::parse("{   }").unwrap(),
            ));
        let asked = Asked::chat(&request, false);
        assert_eq!(asked.text_bytes(), 25);
        assert_eq!(
            asked.expected_tokens(),
            (estimate_input_tokens(&request.input), EXPECTED_OUTPUT)
        );
        let input = asked.expected_tokens().0;
        let short = request.max_output_tokens(10);
        assert_eq!(Asked::chat(&short, true).expected_tokens(), (input, 10));
        let embedding = EmbeddingRequest::new("m", ["12345", "678"]);
        assert_eq!(Asked::embedding(&embedding).expected_tokens(), (3, 0));
        let rerank = RerankRequest::new("m", "12345", vec!["12345".into(), "678".into()]);
        let (long, short) = (estimate_tokens("12345"), estimate_tokens("678"));
        assert_eq!(Asked::rerank(&rerank).expected_tokens(), (3 * long + short, 0));
    }
}
