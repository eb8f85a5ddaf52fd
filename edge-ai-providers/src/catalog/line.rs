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
    let mut entry = CatalogEntry {
        kind,
        capabilities: capabilities(kind, letters),
        ..CatalogEntry::default()
    };
    let fields = Fields(line);
    entry.max_input_tokens = fields.get("", "max_in");
    entry.max_output_tokens = fields.get("", "max_out");
    entry.price = fields.price();
    entry
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

/// A line's numbers by name.
#[derive(Clone, Copy)]
struct Fields<'a>(&'a str);

impl Fields<'_> {
    fn get(self, prefix: &str, name: &str) -> Option<u64> {
        let field = |word: &str| {
            let value = word.strip_prefix(prefix)?.strip_prefix(name)?.strip_prefix('=')?;
            value.parse().ok()
        };
        self.0.split(' ').skip(3).find_map(field)
    }

    fn price(self) -> Option<Price> {
        let standard = self.rates("", "long.");
        let mut price = Price::default();
        price.standard = standard.unwrap_or_default();
        price.batch = self.rates("batch.", "long.batch.");
        price.flex = self.rates("flex.", "long.flex.");
        price.priority = self.rates("priority.", "long.priority.");
        let units = ["image", "second", "char", "search"].map(|name| self.get("", name));
        [price.image, price.audio_second, price.character, price.search] =
            units.map(Option::unwrap_or_default);
        (standard.is_some() || units.iter().any(Option::is_some)).then_some(price)
    }

    fn rates(self, prefix: &str, long: &str) -> Option<Rates> {
        let mut rates = Rates::flat(self.tokens(prefix)?);
        if let (Some(above), Some(tokens)) = (self.get("", "long"), self.tokens(long)) {
            rates.long_context = Some((above, tokens));
        }
        Some(rates)
    }

    /// What is not told costs what other tokens cost.
    fn tokens(self, prefix: &str) -> Option<TokenPrice> {
        let input = self.get(prefix, "in");
        let output = self.get(prefix, "out");
        if input.is_none() && output.is_none() {
            return None;
        }
        let mut price = TokenPrice::new(input.unwrap_or_default(), output.unwrap_or_default());
        for (name, place) in [
            ("think", &mut price.reasoning),
            ("read", &mut price.cache_read),
            ("write", &mut price.cache_write),
            ("audio_in", &mut price.input_audio),
            ("audio_out", &mut price.output_audio),
            ("image_in", &mut price.input_image),
            ("image_out", &mut price.output_image),
        ] {
            *place = self.get(prefix, name).unwrap_or(*place);
        }
        price.cache_write_1h = self.get(prefix, "write_1h").unwrap_or(price.cache_write);
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
