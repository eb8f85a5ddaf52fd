//! A line of the data: `provider/model kind capabilities fields…`, each field `name=number`.
//!
//! Capabilities are letters, `-` for none: `t`ools, in `p`arallel, `v`ision, `j`SON schema, `r`easoning, `c`ached prompts. Prices are
//! pico-dollars; those of a tier have its name and a dot before them, those of a long request `long.`, whose length is the field `long`.

use std::cmp::Ordering;

use edge_ai_core::{Capabilities, Price, Rates, TokenPrice};

use super::entry::{CatalogEntry, ModelKind};

/// The lines with models.
pub(super) fn all(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
}

/// Finds a model's line by halving: the lines are in the order of their names.
pub(super) fn find<'a>(text: &'a str, provider: &str, model: &str) -> Option<&'a str> {
    let mut rest = text;
    while !rest.is_empty() {
        let middle = (0..=rest.len() / 2).rev().find(|at| rest.is_char_boundary(*at))?;
        let start = rest.get(..middle)?.rfind('\n').map_or(0, |at| at + 1);
        let end = rest.get(start..)?.find('\n').map_or(rest.len(), |at| start + at);
        let line = rest.get(start..end)?;
        match order(line, provider, model) {
            Ordering::Equal => return Some(line),
            Ordering::Less => rest = rest.get(end + 1..).unwrap_or_default(),
            Ordering::Greater => rest = rest.get(..start.saturating_sub(1)).unwrap_or_default(),
        }
    }
    None
}

/// Where a line stands, seen from `provider/model`. The header stands before every model.
fn order(line: &str, provider: &str, model: &str) -> Ordering {
    if line.starts_with('#') || line.is_empty() {
        return Ordering::Less;
    }
    let name = line.split(' ').next().unwrap_or_default();
    let wanted = provider.bytes().chain([b'/']).chain(model.bytes());
    name.bytes().cmp(wanted)
}

/// Reads a line. What does not read is not there: the data have their test.
pub(super) fn read(line: &str) -> CatalogEntry {
    let mut words = line.split(' ').skip(1);
    let kind = ModelKind::named(words.next().unwrap_or_default());
    let letters = words.next().unwrap_or_default();
    let mut numbers = Numbers::default();
    for word in words {
        numbers.take(word);
    }
    CatalogEntry {
        kind,
        capabilities: capabilities(kind, letters),
        max_input_tokens: numbers.max_input_tokens,
        max_output_tokens: numbers.max_output_tokens,
        price: numbers.price(),
    }
}

fn capabilities(kind: ModelKind, letters: &str) -> Capabilities {
    let has = |letter| letters.contains(letter);
    let mut capabilities = Capabilities::default();
    capabilities.chat = kind == ModelKind::Chat;
    capabilities.embeddings = kind == ModelKind::Embedding;
    capabilities.tools = has('t');
    capabilities.parallel_tools = has('p');
    capabilities.vision = has('v');
    capabilities.json_schema = has('j');
    capabilities.reasoning = has('r');
    capabilities.prompt_caching = has('c');
    capabilities
}

/// A line's numbers, each word looked at once: a price is looked up for every request.
#[derive(Default)]
struct Numbers {
    max_input_tokens: Option<u64>,
    max_output_tokens: Option<u64>,
    /// How long a long request is.
    long: Option<u64>,
    /// By tier; of usual requests, and of long ones.
    tokens: [(Tokens, Tokens); 4],
    image: Option<u64>,
    second: Option<u64>,
    char: Option<u64>,
    search: Option<u64>,
}

/// The tiers after the standard one, by what stands before their fields.
const TIERS: [&str; 3] = ["batch.", "flex.", "priority."];

impl Numbers {
    fn take(&mut self, word: &str) {
        let Some((name, value)) = word.split_once('=') else {
            return;
        };
        let value = value.parse().ok();
        let place = match name {
            "max_in" => &mut self.max_input_tokens,
            "max_out" => &mut self.max_output_tokens,
            "long" => &mut self.long,
            "image" => &mut self.image,
            "second" => &mut self.second,
            "char" => &mut self.char,
            "search" => &mut self.search,
            _ => return self.take_tokens(name, value),
        };
        *place = value;
    }

    fn take_tokens(&mut self, name: &str, value: Option<u64>) {
        let (is_long, name) = match name.strip_prefix("long.") {
            Some(name) => (true, name),
            None => (false, name),
        };
        let tier = TIERS.iter().position(|tier| name.starts_with(tier));
        let name = name.rsplit('.').next().unwrap_or(name);
        if let Some((usual, long)) = self.tokens.get_mut(tier.map_or(0, |tier| tier + 1)) {
            let tokens = if is_long { long } else { usual };
            tokens.take(name, value);
        }
    }

    fn price(&self) -> Option<Price> {
        let [standard, batch, flex, priority] = self.tokens.each_ref().map(|(usual, long)| {
            let mut rates = Rates::flat(usual.price()?);
            if let (Some(above), Some(tokens)) = (self.long, long.price()) {
                rates.long_context = Some((above, tokens));
            }
            Some(rates)
        });
        let units = [self.image, self.second, self.char, self.search];
        if standard.is_none() && units.iter().all(Option::is_none) {
            return None;
        }
        let mut price = Price::default();
        price.standard = standard.unwrap_or_default();
        (price.batch, price.flex, price.priority) = (batch, flex, priority);
        [price.image, price.audio_second, price.character, price.search] =
            units.map(Option::unwrap_or_default);
        Some(price)
    }
}

/// What tokens cost, as far as it is told.
#[derive(Default)]
struct Tokens {
    input: Option<u64>,
    output: Option<u64>,
    reasoning: Option<u64>,
    cache_read: Option<u64>,
    cache_write: Option<u64>,
    cache_write_1h: Option<u64>,
    input_audio: Option<u64>,
    output_audio: Option<u64>,
    input_image: Option<u64>,
    output_image: Option<u64>,
}

impl Tokens {
    fn take(&mut self, name: &str, value: Option<u64>) {
        let place = match name {
            "in" => &mut self.input,
            "out" => &mut self.output,
            "think" => &mut self.reasoning,
            "read" => &mut self.cache_read,
            "write" => &mut self.cache_write,
            "write_1h" => &mut self.cache_write_1h,
            "audio_in" => &mut self.input_audio,
            "audio_out" => &mut self.output_audio,
            "image_in" => &mut self.input_image,
            "image_out" => &mut self.output_image,
            _ => return,
        };
        *place = value;
    }

    /// What is not told costs what other tokens cost.
    fn price(&self) -> Option<TokenPrice> {
        if self.input.is_none() && self.output.is_none() {
            return None;
        }
        let mut price = TokenPrice::new(self.input.unwrap_or_default(), self.output.unwrap_or_default());
        for (told, place) in [
            (self.reasoning, &mut price.reasoning),
            (self.cache_read, &mut price.cache_read),
            (self.cache_write, &mut price.cache_write),
            (
                self.cache_write_1h.or(self.cache_write),
                &mut price.cache_write_1h,
            ),
            (self.input_audio, &mut price.input_audio),
            (self.output_audio, &mut price.output_audio),
            (self.input_image, &mut price.input_image),
            (self.output_image, &mut price.output_image),
        ] {
            *place = told.unwrap_or(*place);
        }
        Some(price)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# date 2026-01-01\na/x chat tv max_in=10 in=1 out=2 long=8 long.in=3\nb/z-1 rerank - search=7\nb/é embedding - in=5\n";

    #[test]
    fn lines_are_found_by_halving() {
        for (provider, model) in [("a", "x"), ("b", "é"), ("b", "z-1")] {
            let line = find(TEXT, provider, model).unwrap();
            assert!(line.starts_with(&format!("{provider}/{model} ")), "{line}");
        }
        for (provider, model) in [
            ("a", ""),
            ("a", "w"),
            ("b", "z"),
            ("b", "z-2"),
            ("c", "x"),
            ("#", " date"),
        ] {
            assert_eq!(find(TEXT, provider, model), None, "{provider}/{model}");
        }
    }

    #[test]
    fn fields_are_read() {
        let entry = read(find(TEXT, "a", "x").unwrap());
        assert!(entry.capabilities.tools && entry.capabilities.vision && !entry.capabilities.reasoning);
        assert_eq!(entry.max_input_tokens, Some(10));
        let rates = entry.price.unwrap().standard;
        assert_eq!(rates.tokens, TokenPrice::new(1, 2));
        assert_eq!(rates.long_context, Some((8, TokenPrice::new(3, 0))));
        let entry = read(find(TEXT, "b", "z-1").unwrap());
        assert_eq!((entry.kind, entry.price.unwrap().search), (ModelKind::Rerank, 7));
    }
}
