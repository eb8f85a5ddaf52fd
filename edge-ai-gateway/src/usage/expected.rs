use edge_ai_core::{ChatInput, Verbatim, estimate_input_tokens};

/// About how many tokens a request has. Its texts are read when somebody asks, which is seldom.
#[derive(Debug)]
pub(crate) enum Expected {
    Tokens(u64),
    Prompt(Verbatim<ChatInput>),
}

impl Expected {
    /// A longer body is read at once: next to decoding it that is little, and it must not lie in memory for as long as its answer is streamed.
    const KEPT: usize = 64 << 10;

    /// What a prompt has, which came in a body of so many bytes.
    pub(crate) fn of(prompt: &Verbatim<ChatInput>, bytes: usize) -> Self {
        if bytes > Self::KEPT {
            Self::Tokens(estimate_input_tokens(prompt))
        } else {
            Self::Prompt(prompt.clone())
        }
    }

    pub(super) fn tokens(&self) -> u64 {
        match self {
            Self::Tokens(tokens) => *tokens,
            Self::Prompt(prompt) => estimate_input_tokens(prompt),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge_ai_core::ChatRequest;

    #[test]
    fn a_prompt_is_counted_the_same_now_or_later() {
        let prompt = ChatRequest::new("m").user("What is the capital of France?").input;
        let (later, now) = (Expected::of(&prompt, 100), Expected::of(&prompt, 1 << 20));
        assert!(matches!(
            (&later, &now),
            (Expected::Prompt(_), Expected::Tokens(_))
        ));
        assert_eq!(later.tokens(), now.tokens());
    }
}
