use serde_json::Value;

/// Entries as a table: a column for each field, named after it.
pub(crate) fn table(entries: &[Value], columns: &[&str]) -> String {
    let head = columns.iter().map(|column| title(column));
    let mut rows: Vec<Vec<String>> = vec![head.collect()];
    rows.extend(entries.iter().map(|entry| {
        columns
            .iter()
            .map(|column| cell(column, &entry[*column]))
            .collect()
    }));
    let widths: Vec<usize> = (0..columns.len())
        .map(|at| {
            rows.iter()
                .filter_map(|row| row.get(at))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for row in rows {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"));
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

fn title(column: &str) -> String {
    let name = column.trim_end_matches("_ms").trim_end_matches("_nano_dollars");
    name.replace('_', " ").to_uppercase()
}

fn cell(column: &str, value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::Number(number) if column.ends_with("_ms") => number.as_u64().map_or_else(String::new, time),
        Value::Number(number) if column.ends_with("_nano_dollars") => {
            dollars(number.as_i64().unwrap_or_default())
        }
        Value::String(text) => printable(text),
        Value::Array(list) => list
            .iter()
            .map(|value| cell("", value))
            .collect::<Vec<_>>()
            .join(", "),
        other => printable(&other.to_string()),
    }
}

/// Text from elsewhere must not steer the terminal.
fn printable(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() { '\u{fffd}' } else { letter })
        .collect()
}

fn dollars(nano: i64) -> String {
    let sign = if nano < 0 { "-" } else { "" };
    let nano = nano.unsigned_abs();
    format!(
        "{sign}${}.{:06}",
        nano / 1_000_000_000,
        nano % 1_000_000_000 / 1_000
    )
}

/// A time in UTC, to the minute. Days to dates by Howard Hinnant's
/// [algorithm](https://howardhinnant.github.io/date_algorithms.html#civil_from_days).
fn time(ms: u64) -> String {
    let (days, minutes) = (ms / 86_400_000, ms / 60_000 % 1_440);
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!(
        "{year}-{month:02}-{day:02} {:02}:{:02}",
        minutes / 60,
        minutes % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_are_columns() {
        let entries = [
            json!({"id": "key_1", "cost_nano_dollars": 1_500_000_000, "created_at_ms": 1_795_000_000_000_u64, "models": ["a", "b"]}),
            json!({"id": "long\u{1b}[31m", "cost_nano_dollars": -2_000, "created_at_ms": 951_782_400_000_u64}),
        ];
        let text = table(&entries, &["id", "cost_nano_dollars", "created_at_ms", "models"]);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "ID         COST        CREATED AT        MODELS");
        assert_eq!(lines[1], "key_1      $1.500000   2026-11-18 11:06  a, b");
        assert_eq!(lines[2], "long\u{fffd}[31m  -$0.000002  2000-02-29 00:00  -");
    }
}
