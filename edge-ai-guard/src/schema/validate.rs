use serde_json::{Map, Value};

/// How deep schemas and values may refer to each other.
const MAX_DEPTH: usize = 128;
/// How many schemas are looked at for one value: alternatives within alternatives multiply.
const MAX_STEPS: usize = 100_000;

/// Checks a value against the whole schema.
pub(super) fn check(root: &Value, value: &Value) -> Result<(), String> {
    let mut validator = Validator { root, steps: 0 };
    let mut path = String::new();
    validator.check(root, value, &mut path, 0)
}

struct Validator<'a> {
    root: &'a Value,
    steps: usize,
}

type Checked = Result<(), String>;

fn wrong(path: &str, problem: impl AsRef<str>) -> Checked {
    let problem = problem.as_ref();
    Err(match path {
        "" => problem.to_owned(),
        path => format!("at `{path}`: {problem}"),
    })
}

impl<'a> Validator<'a> {
    fn check(&mut self, schema: &'a Value, value: &Value, path: &mut String, depth: usize) -> Checked {
        self.steps += 1;
        if depth > MAX_DEPTH || self.steps > MAX_STEPS {
            return wrong(path, "the schema is too deep to be checked");
        }
        let depth = depth + 1;
        let schema = match schema {
            Value::Bool(true) => return Ok(()),
            Value::Bool(false) => return wrong(path, "nothing is allowed here"),
            Value::Object(schema) => schema,
            _ => return Ok(()),
        };
        if let Some(target) = schema.get("$ref").and_then(|target| self.resolve(target)) {
            self.check(target, value, path, depth)?;
        }
        check_type(schema, value, path)?;
        match value {
            Value::Object(object) => self.check_object(schema, object, path, depth)?,
            Value::Array(array) => self.check_array(schema, array, path, depth)?,
            Value::String(text) => check_string(schema, text, path)?,
            Value::Number(number) => check_number(schema, number.as_f64(), path)?,
            _ => {}
        }
        self.check_combinations(schema, value, path, depth)
    }

    /// The schema that a reference within this one means; others are not known.
    fn resolve(&self, target: &Value) -> Option<&'a Value> {
        let pointer = target.as_str()?.strip_prefix('#')?;
        let pointer = pointer.replace("%25", "%");
        self.root.pointer(&pointer)
    }

    fn check_object(
        &mut self,
        schema: &'a Map<String, Value>,
        object: &Map<String, Value>,
        path: &mut String,
        depth: usize,
    ) -> Checked {
        for name in list(schema, "required").iter().filter_map(Value::as_str) {
            if !object.contains_key(name) {
                return wrong(path, format!("`{name}` is missing"));
            }
        }
        check_count(
            schema,
            object.len(),
            ["minProperties", "maxProperties"],
            "properties",
            path,
        )?;
        let properties = schema.get("properties").and_then(Value::as_object);
        let others = schema
            .get("additionalProperties")
            .filter(|_| !schema.contains_key("patternProperties"));
        let names = schema.get("propertyNames");
        for (name, value) in object {
            let known = properties.and_then(|properties| properties.get(name));
            if let Some(names) = names {
                self.check(names, &Value::String(name.clone()), path, depth)?;
            }
            let Some(wanted) = known.or(others) else { continue };
            if known.is_none() && *wanted == Value::Bool(false) {
                return wrong(path, "a property is not one of the schema's");
            }
            let len = path.len();
            path.push('/');
            // A name of the schema's own is told; another one is the model's text.
            path.push_str(if known.is_some() { name } else { "*" });
            self.check(wanted, value, path, depth)?;
            path.truncate(len);
        }
        Ok(())
    }

    fn check_array(
        &mut self,
        schema: &'a Map<String, Value>,
        array: &[Value],
        path: &mut String,
        depth: usize,
    ) -> Checked {
        check_count(schema, array.len(), ["minItems", "maxItems"], "items", path)?;
        let first = list(schema, "prefixItems");
        let rest = schema.get("items");
        for (index, value) in array.iter().enumerate() {
            let Some(wanted) = first.get(index).or(rest) else {
                continue;
            };
            let len = path.len();
            path.push('/');
            path.push_str(&index.to_string());
            self.check(wanted, value, path, depth)?;
            path.truncate(len);
        }
        if schema.get("uniqueItems") == Some(&Value::Bool(true)) {
            let mut seen: Vec<String> = array.iter().map(Value::to_string).collect();
            seen.sort_unstable();
            if seen.windows(2).any(|two| two.first() == two.last()) {
                return wrong(path, "items must not repeat");
            }
        }
        if let Some(wanted) = schema.get("contains")
            && !array.iter().any(|value| self.fits(wanted, value, path, depth))
        {
            return wrong(path, "no item is as `contains` asks");
        }
        Ok(())
    }

    fn check_combinations(
        &mut self,
        schema: &'a Map<String, Value>,
        value: &Value,
        path: &mut String,
        depth: usize,
    ) -> Checked {
        for wanted in list(schema, "allOf") {
            self.check(wanted, value, path, depth)?;
        }
        let any = list(schema, "anyOf");
        if !any.is_empty() && !any.iter().any(|wanted| self.fits(wanted, value, path, depth)) {
            return wrong(path, "fits none of `anyOf`");
        }
        let one = list(schema, "oneOf");
        if !one.is_empty() {
            let fitting = one
                .iter()
                .filter(|wanted| self.fits(wanted, value, path, depth))
                .count();
            if fitting != 1 {
                return wrong(path, format!("fits {fitting} of `oneOf`"));
            }
        }
        if let Some(unwanted) = schema.get("not")
            && self.fits(unwanted, value, path, depth)
        {
            return wrong(path, "is as `not` forbids");
        }
        if let Some(condition) = schema.get("if") {
            let branch = if self.fits(condition, value, path, depth) {
                "then"
            } else {
                "else"
            };
            if let Some(wanted) = schema.get(branch) {
                self.check(wanted, value, path, depth)?;
            }
        }
        Ok(())
    }

    fn fits(&mut self, schema: &'a Value, value: &Value, path: &mut String, depth: usize) -> bool {
        let len = path.len();
        let fits = self.check(schema, value, path, depth).is_ok();
        path.truncate(len);
        fits
    }
}

fn list<'a>(schema: &'a Map<String, Value>, name: &str) -> &'a [Value] {
    schema
        .get(name)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn number(schema: &Map<String, Value>, name: &str) -> Option<f64> {
    schema.get(name).and_then(Value::as_f64)
}

fn check_type(schema: &Map<String, Value>, value: &Value, path: &str) -> Checked {
    let is = |name: &str| match (name, value) {
        ("null", Value::Null) | ("boolean", Value::Bool(_)) | ("object", Value::Object(_)) => true,
        ("array", Value::Array(_)) | ("string", Value::String(_)) | ("number", Value::Number(_)) => true,
        // 1.0 is an integer.
        ("integer", Value::Number(number)) => number.as_f64().is_some_and(|number| number.fract() == 0.0),
        _ => false,
    };
    match schema.get("type") {
        Some(Value::String(name)) if !is(name) => return wrong(path, format!("must be {name}")),
        Some(Value::Array(names)) if !names.iter().filter_map(Value::as_str).any(is) => {
            let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
            return wrong(path, format!("must be {}", names.join(" or ")));
        }
        _ => {}
    }
    if let Some(wanted) = schema.get("const")
        && !same(wanted, value)
    {
        return wrong(path, format!("must be {wanted}"));
    }
    if let Some(Value::Array(values)) = schema.get("enum")
        && !values.iter().any(|wanted| same(wanted, value))
    {
        let shown: Vec<String> = values.iter().take(10).map(Value::to_string).collect();
        return wrong(path, format!("must be one of {}", shown.join(", ")));
    }
    Ok(())
}

/// Equal as JSON: 1 and 1.0 are.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(name, value)| other.get(name).is_some_and(|other| same(value, other)))
        }
        _ => one == other,
    }
}

fn check_string(schema: &Map<String, Value>, text: &str, path: &str) -> Checked {
    let limits = ["minLength", "maxLength"];
    if !limits.iter().any(|limit| schema.contains_key(*limit)) {
        return Ok(());
    }
    check_count(schema, text.chars().count(), limits, "characters", path)
}

fn check_count(
    schema: &Map<String, Value>,
    count: usize,
    [least, most]: [&str; 2],
    what: &str,
    path: &str,
) -> Checked {
    let limit = |name: &str| schema.get(name).and_then(Value::as_u64);
    let count = u64::try_from(count).unwrap_or(u64::MAX);
    if let Some(least) = limit(least).filter(|least| count < *least) {
        return wrong(path, format!("must have at least {least} {what}"));
    }
    if let Some(most) = limit(most).filter(|most| count > *most) {
        return wrong(path, format!("must have at most {most} {what}"));
    }
    Ok(())
}

/// Whether a number keeps within a limit.
type Fits = fn(f64, f64) -> bool;

fn check_number(schema: &Map<String, Value>, value: Option<f64>, path: &str) -> Checked {
    let Some(value) = value else { return Ok(()) };
    let rules: [(&str, &str, Fits); 5] = [
        ("minimum", "must be at least", |value, limit| value >= limit),
        ("maximum", "must be at most", |value, limit| value <= limit),
        ("exclusiveMinimum", "must be above", |value, limit| value > limit),
        ("exclusiveMaximum", "must be below", |value, limit| value < limit),
        ("multipleOf", "must be a multiple of", is_multiple),
    ];
    for (name, words, fits) in rules {
        if let (Some(wanted), Some(limit)) = (schema.get(name), number(schema, name))
            && !fits(value, limit)
        {
            return wrong(path, format!("{words} {wanted}"));
        }
    }
    Ok(())
}

/// Up to what floating point loses: 0.3 is a multiple of 0.1.
fn is_multiple(value: f64, of: f64) -> bool {
    if of <= 0.0 {
        return true;
    }
    let times = value / of;
    (times - times.round()).abs() <= 1e-9 * times.abs().max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn problem(schema: Value, value: Value) -> Option<String> {
        check(&schema, &value).err()
    }

    #[test]
    fn each_keyword_is_checked() {
        let cases = [
            (json!({"type": "integer"}), json!(1.0), json!(1.5)),
            (json!({"type": ["string", "null"]}), json!(null), json!(1)),
            (json!({"enum": [1, "a"]}), json!(1.0), json!("b")),
            (
                json!({"const": {"a": [1]}}),
                json!({"a": [1.0]}),
                json!({"a": [2]}),
            ),
            (json!({"required": ["a"]}), json!({"a": 1}), json!({})),
            (
                json!({"properties": {"a": {"type": "string"}}}),
                json!({"a": "x"}),
                json!({"a": 1}),
            ),
            (
                json!({"properties": {"a": {}}, "additionalProperties": false}),
                json!({"a": 1}),
                json!({"b": 1}),
            ),
            (
                json!({"additionalProperties": {"type": "number"}}),
                json!({"b": 1}),
                json!({"b": "1"}),
            ),
            (
                json!({"propertyNames": {"maxLength": 1}}),
                json!({"b": 1}),
                json!({"bb": 1}),
            ),
            (json!({"minProperties": 1}), json!({"b": 1}), json!({})),
            (json!({"items": {"type": "number"}}), json!([1]), json!(["1"])),
            (
                json!({"prefixItems": [{"type": "number"}], "items": false}),
                json!([1]),
                json!([1, 2]),
            ),
            (json!({"contains": {"const": 2}}), json!([1, 2]), json!([1])),
            (
                json!({"minItems": 1, "maxItems": 2}),
                json!([1]),
                json!([1, 2, 3]),
            ),
            (json!({"uniqueItems": true}), json!([1, 2]), json!([1, 1])),
            (json!({"minLength": 2, "maxLength": 3}), json!("äö"), json!("ä")),
            (json!({"minimum": 1, "exclusiveMaximum": 2}), json!(1), json!(2)),
            (json!({"multipleOf": 0.1}), json!(0.3), json!(0.35)),
            (
                json!({"allOf": [{"type": "number"}, {"minimum": 1}]}),
                json!(1),
                json!(0),
            ),
            (
                json!({"anyOf": [{"type": "number"}, {"type": "null"}]}),
                json!(null),
                json!(""),
            ),
            (
                json!({"oneOf": [{"minimum": 1}, {"minimum": 5}]}),
                json!(2),
                json!(7),
            ),
            (json!({"not": {"type": "null"}}), json!(1), json!(null)),
            (
                json!({"if": {"minimum": 5}, "then": {"multipleOf": 5}, "else": {"const": 1}}),
                json!(10),
                json!(2),
            ),
            (
                json!({"$ref": "#/$defs/a", "$defs": {"a": {"type": "null"}}}),
                json!(null),
                json!(1),
            ),
            (json!({"anyOf": [false, true]}), json!(1), json!(1)),
        ];
        let last = cases.len() - 1;
        for (index, (schema, good, bad)) in cases.into_iter().enumerate() {
            assert_eq!(problem(schema.clone(), good), None, "{schema}");
            assert!(
                index == last || problem(schema.clone(), bad).is_some(),
                "{schema}"
            );
        }
    }

    #[test]
    fn a_problem_says_where_and_not_what() {
        let schema = json!({"properties": {"list": {"items": {"properties": {"n": {"type": "integer"}}}}}});
        let value = json!({"list": [{"n": 1}, {"n": "secret"}]});
        assert_eq!(problem(schema, value).unwrap(), "at `/list/1/n`: must be integer");
    }

    #[test]
    fn recursion_is_checked_and_bounded() {
        let tree = json!({"type": "object", "properties": {"next": {"$ref": "#"}}});
        assert_eq!(problem(tree.clone(), json!({"next": {"next": {}}})), None);
        assert!(problem(tree, json!({"next": {"next": 1}})).is_some());
        assert!(problem(json!({"$ref": "#"}), json!(1)).is_some());
        let branching =
            json!({"allOf": [{"$ref": "#"}, {"$ref": "#"}], "anyOf": [{"$ref": "#"}, {"$ref": "#"}]});
        assert!(problem(branching, json!(1)).is_some());
    }

    #[test]
    fn what_is_not_known_is_passed_over() {
        assert_eq!(
            problem(
                json!({"pattern": "^a", "format": "date", "x-of-ours": 1}),
                json!("b")
            ),
            None
        );
        let both = json!({"patternProperties": {"^x": {}}, "additionalProperties": false});
        assert_eq!(problem(both, json!({"x1": 1})), None);
    }
}
