use edge_ai_core::{ChatEvent, ChatFrame, ChatStream, Price, Result, Usage, estimate_tokens};

use super::{Actual, Holds};

/// What a call took, by the vendor's count, or where there is none by what was seen of it.
#[derive(Clone, Copy, Debug, Default)]
struct Estimated {
    input: u64,
    usage: Option<Usage>,
    output: u64,
}

impl Estimated {
    /// Nothing has come yet of a request with so many tokens.
    const fn new(input: u64) -> Self {
        Self {
            input,
            usage: None,
            output: 0,
        }
    }

    fn see(&mut self, event: &ChatEvent) {
        let text = match event {
            ChatEvent::Usage(usage) => {
                self.usage = Some(*usage);
                return;
            }
            ChatEvent::Text(text) | ChatEvent::Refusal(text) => text,
            ChatEvent::Reasoning(delta) => &delta.text,
            ChatEvent::ToolCall(delta) => &delta.arguments,
            _ => return,
        };
        self.output = self.output.saturating_add(estimate_tokens(text));
    }

    /// `called` when a provider has begun to work.
    fn usage(&self, called: bool) -> Usage {
        match self.usage {
            Some(usage) => usage,
            None if called || self.output > 0 => Usage::new(self.input, self.output),
            None => Usage::default(),
        }
    }
}

/// What one call of a provider has taken of its limits, settled when the call is over.
#[derive(Debug, Default)]
pub(crate) struct Permit(Option<Open>);

#[derive(Debug)]
struct Open {
    holds: Holds,
    taken: Estimated,
    price: Option<Price>,
}

impl Permit {
    pub(crate) fn new(holds: Holds, input: u64, price: Option<Price>) -> Self {
        Self(Some(Open {
            holds,
            taken: Estimated::new(input),
            price,
        }))
    }

    /// There is an answer with this usage.
    pub(crate) fn answered(mut self, usage: Option<Usage>) {
        if let Some(open) = &mut self.0 {
            open.taken.usage = usage;
        }
        self.end(true);
    }

    /// The call failed: it took nothing but the request.
    pub(crate) fn failed(mut self) {
        if let Some(open) = self.0.take() {
            drop(open.holds);
        }
    }

    fn see(&mut self, item: &Result<ChatFrame>) {
        let (Some(open), Ok(frame)) = (&mut self.0, item) else {
            return;
        };
        frame.events.iter().for_each(|event| open.taken.see(event));
        if frame.is_last() {
            self.end(true);
        }
    }

    fn end(&mut self, called: bool) {
        if let Some(open) = self.0.take() {
            let usage = open.taken.usage(called);
            let cost = open.price.as_ref().map(|price| price.of(&usage));
            open.holds.settle(&Actual {
                usage: Some(usage),
                cost,
            });
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.end(true);
    }
}

/// The same stream, with the permit to its end or to the client's leaving.
pub(crate) fn permitted(stream: ChatStream, mut permit: Permit) -> ChatStream {
    if permit.0.is_none() {
        return stream;
    }
    stream.inspect(move |item| permit.see(item))
}
