use bytes::{Buf, Bytes, BytesMut};

use crate::{Error, ErrorKind, Result};

/// One event of a stream of [server-sent events](https://html.spec.whatwg.org/multipage/server-sent-events.html).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SseEvent {
    /// The `event` field; `None` for the default, `message`.
    pub event: Option<String>,
    /// The `data` fields, joined by line feeds. Empty for a frame of comments alone.
    pub data: String,
    /// The `id` field.
    pub id: Option<String>,
    /// The frame as it arrived, with the blank line that ends it.
    pub raw: Bytes,
}

/// Turns the bytes of an event stream into events, however they were cut on the way.
///
/// It follows the standard: lines end with CR, LF or CRLF, a byte order mark at the start is skipped, bytes that are not
/// UTF-8 become U+FFFD, and a frame that the stream's end cuts short is not an event. Beyond the standard it also gives
/// frames without data (comments, pings), so that a proxy can pass everything on: concatenated, the `raw` of all events
/// and the [`rest`](Self::rest) are the input.
///
/// ```
/// use edge_ai_core::SseDecoder;
///
/// let mut decoder = SseDecoder::new();
/// assert!(decoder.push(b"data: {\"a\"".as_slice().into())?.is_empty());
/// let events = decoder.push(b": 1}\n\ndata: [DONE]\n\n".as_slice().into())?;
/// assert_eq!(events[0].data, "{\"a\": 1}");
/// assert_eq!(events[1].data, "[DONE]");
/// # Ok::<(), edge_ai_core::Error>(())
/// ```
#[derive(Debug)]
pub struct SseDecoder {
    buffer: BytesMut,
    /// How far the buffer was searched for a frame's end.
    searched: usize,
    /// Where the line under search starts.
    line: usize,
    limit: usize,
    started: bool,
    /// The last frame ended with CR: a line feed that comes next belongs to it.
    after_cr: bool,
}

impl SseDecoder {
    /// The default limit of one event, 4 MiB: an image in base64 fits, an endless line does not fill the memory.
    pub const DEFAULT_LIMIT: usize = 4 << 20;

    /// A decoder with the [default limit](Self::DEFAULT_LIMIT).
    pub fn new() -> Self {
        Self::with_limit(Self::DEFAULT_LIMIT)
    }

    /// A decoder that refuses an event of more than `limit` bytes, the blank line that ends it included.
    pub fn with_limit(limit: usize) -> Self {
        Self {
            buffer: BytesMut::new(),
            searched: 0,
            line: 0,
            limit,
            started: false,
            after_cr: false,
        }
    }

    /// Takes the next bytes and returns the events that they complete.
    ///
    /// # Errors
    /// [`ErrorKind::BadUpstream`] for an event over the limit; what came before it in the same chunk is lost with it.
    pub fn push(&mut self, chunk: Bytes) -> Result<Vec<SseEvent>> {
        if self.buffer.is_empty() {
            // The usual case, a chunk of whole frames, is not copied.
            self.buffer = BytesMut::from(chunk);
        } else {
            self.buffer.extend_from_slice(&chunk);
        }
        let mut events = Vec::new();
        while let Some(end) = self.find_end() {
            self.check(end)?;
            let raw = self.buffer.split_to(end).freeze();
            self.searched = 0;
            self.line = 0;
            events.push(parse(raw, !self.started));
            self.started = true;
        }
        self.check(self.buffer.len())?;
        Ok(events)
    }

    /// The bytes of a frame that has not ended.
    pub fn rest(&self) -> &[u8] {
        &self.buffer
    }

    fn check(&self, length: usize) -> Result<()> {
        if length > self.limit {
            return Err(Error::new(
                ErrorKind::BadUpstream,
                format!("an event of the stream is over the limit of {} bytes", self.limit),
            ));
        }
        Ok(())
    }

    /// The length of the first frame, if its end is there: the first empty line. One that has nothing before it is a frame of
    /// its own, so that no byte is lost.
    fn find_end(&mut self) -> Option<usize> {
        if self.after_cr && !self.buffer.is_empty() {
            self.after_cr = false;
            if self.buffer.first() == Some(&b'\n') {
                // The second half of a CRLF whose frame is out already: it ends no line of its own.
                self.searched = 1;
                self.line = 1;
            }
        }
        loop {
            let rest = self.buffer.get(self.searched..)?;
            let Some(at) = memchr::memchr2(b'\n', b'\r', rest) else {
                self.searched = self.buffer.len();
                return None;
            };
            let at = self.searched + at;
            let cr = self.buffer.get(at) == Some(&b'\r');
            let next = self.buffer.get(at + 1);
            let end = if cr && next == Some(&b'\n') {
                at + 2
            } else {
                at + 1
            };
            let empty = at == self.line;
            self.searched = end;
            self.line = end;
            if empty {
                self.after_cr = cr && next.is_none();
                return Some(end);
            }
            if cr && next.is_none() {
                // Whether a line feed follows is not known yet; look again with the next chunk.
                self.searched = at;
                self.line = line_start(&self.buffer, at);
                return None;
            }
        }
    }
}

impl Default for SseDecoder {
    fn default() -> Self {
        Self::new()
    }
}

/// Where the line that contains `at` starts.
fn line_start(buffer: &[u8], at: usize) -> usize {
    buffer
        .get(..at)
        .and_then(|before| before.iter().rposition(|byte| matches!(byte, b'\n' | b'\r')))
        .map_or(0, |end| end + 1)
}

fn parse(raw: Bytes, first: bool) -> SseEvent {
    let mut event = None;
    let mut id = None;
    let mut data: Option<String> = None;
    let mut text = raw.clone();
    if first && text.starts_with(b"\xef\xbb\xbf") {
        text.advance(3);
    }
    for line in text
        .split(|byte| matches!(byte, b'\n' | b'\r'))
        .filter(|line| !line.is_empty())
    {
        let (name, value) = match memchr::memchr(b':', line) {
            None => (line, &b""[..]),
            Some(colon) => {
                let value = line.get(colon + 1..).unwrap_or_default();
                (
                    line.get(..colon).unwrap_or_default(),
                    value.strip_prefix(b" ").unwrap_or(value),
                )
            }
        };
        let value = || String::from_utf8_lossy(value);
        match name {
            b"data" => match &mut data {
                None => data = Some(value().into_owned()),
                Some(data) => {
                    data.push('\n');
                    data.push_str(&value());
                }
            },
            b"event" => event = Some(value().into_owned()),
            b"id" => id = Some(value().into_owned()),
            _ => {}
        }
    }
    SseEvent {
        event,
        data: data.unwrap_or_default(),
        id,
        raw,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(chunks: &[&[u8]]) -> (Vec<SseEvent>, Vec<u8>) {
        let mut decoder = SseDecoder::new();
        let events = chunks
            .iter()
            .flat_map(|chunk| decoder.push(Bytes::copy_from_slice(chunk)).unwrap())
            .collect();
        (events, decoder.rest().to_vec())
    }

    fn data(chunks: &[&[u8]]) -> Vec<String> {
        decode(chunks).0.into_iter().map(|event| event.data).collect()
    }

    #[test]
    fn fields_by_the_standard() {
        let (events, _) =
            decode(&[b"\xef\xbb\xbf: hi\nevent: ping\nid:7\ndata:a\ndata:  b\ndata\nretry: 5\nother: x\n\n"]);
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].event.as_deref(), Some("ping"));
        assert_eq!(events[0].id.as_deref(), Some("7"));
        assert_eq!(events[0].data, "a\n b\n");
    }

    #[test]
    fn every_line_ending() {
        assert_eq!(
            data(&[b"data: 1\n\ndata: 2\r\n\r\ndata: 3\r\rdata: 4\n\r\ndata: 5\r\n\n"]),
            ["1", "2", "3", "4", "5"]
        );
    }

    #[test]
    fn a_frame_that_ends_in_cr_is_given_at_once() {
        assert_eq!(data(&[b"data: 1\r\n\r"]), ["1"]);
        assert_eq!(data(&[b"data: 1\r\n\r", b"\ndata: 2\r\n\r", b"\n"]), ["1", "2"]);
    }

    #[test]
    fn a_cut_frame_is_no_event() {
        let (events, rest) = decode(&[b"data: 1\n\ndata: 2\n"]);
        assert_eq!(events.len(), 1);
        assert_eq!(rest, b"data: 2\n");
    }

    #[test]
    fn an_endless_event_is_refused() {
        let mut decoder = SseDecoder::with_limit(9);
        assert!(decoder.push(Bytes::from_static(b"data: 1\n\n")).is_ok());
        assert_eq!(
            decoder
                .push(Bytes::from_static(b"data: 1234"))
                .unwrap_err()
                .kind(),
            ErrorKind::BadUpstream
        );
    }

    #[test]
    fn the_limit_holds_however_an_event_is_cut() {
        let event = b"data: 12\n\n";
        for chunk in [1, 9, 10] {
            let push = |limit| {
                let mut decoder = SseDecoder::with_limit(limit);
                event
                    .chunks(chunk)
                    .try_for_each(|chunk| decoder.push(Bytes::copy_from_slice(chunk)).map(drop))
            };
            assert!(push(10).is_ok(), "in chunks of {chunk}");
            assert_eq!(
                push(9).unwrap_err().kind(),
                ErrorKind::BadUpstream,
                "in chunks of {chunk}"
            );
        }
        // Neighbors in one chunk do not add up.
        let three = Bytes::from(event.repeat(3));
        assert_eq!(SseDecoder::with_limit(10).push(three).unwrap().len(), 3);
    }

    proptest! {
        #[test]
        fn cuts_do_not_matter(
            lines in prop::collection::vec("(data: ?[a-zé]{0,6}|:c|event:x|)", 0..20),
            endings in prop::collection::vec(prop::sample::select(vec!["\n", "\r\n", "\r"]), 20),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        ) {
            let text: String = lines.iter().zip(&endings).flat_map(|(line, end)| [line.as_str(), end]).collect();
            let text = text.as_bytes();
            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let chunks: Vec<_> = cuts.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect();

            let (whole, _) = decode(&[text]);
            let (cut, rest) = decode(&chunks);
            let seen = |events: &[SseEvent]| -> Vec<_> {
                // An empty line alone is nothing; how many there are depends on which half of a CRLF came first.
                events.iter().map(|event| (event.event.clone(), event.data.clone())).filter(|event| event.0.is_some() || !event.1.is_empty()).collect()
            };
            prop_assert_eq!(seen(&whole), seen(&cut));

            let mut raw: Vec<u8> = cut.iter().flat_map(|event| event.raw.to_vec()).collect();
            raw.extend(rest);
            prop_assert_eq!(raw, text);
        }

        #[test]
        fn no_input_panics(chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..8)) {
            let mut decoder = SseDecoder::with_limit(64);
            for chunk in chunks {
                if decoder.push(chunk.into()).is_err() {
                    break;
                }
            }
        }
    }
}
