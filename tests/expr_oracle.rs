//! The expression language against the `cel` crate: the same expression over the same complete facts has the same
//! value. And what CEL cannot say: facts that become unknown never turn an answer round, and no text makes the
//! parser or the checker panic.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::sync::Arc;

use poolgate::facts::{Fact, Type, Value};
use poolgate::rules::expr::{Expr, ExprError, Meter, Scope, Template, compile, infer, render};
use poolgate::snapshot::Pool;
use proptest::prelude::*;

/// Choices made from bytes, so that a failing case shrinks; the first choice is the simplest.
struct Choices<'b> {
    bytes: std::slice::Iter<'b, u8>,
}

impl Choices<'_> {
    fn of(&mut self, count: usize) -> usize {
        usize::from(*self.bytes.next().unwrap_or(&0)) % count
    }

    fn pick<'t>(&mut self, from: &[&'t str]) -> &'t str {
        from[self.of(from.len())]
    }
}

/// The types that expressions are made of.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Bool,
    Int,
    Text,
    Ints,
    Texts,
    Vm,
}

const WORDS: [&str; 12] =
    ["a", "Running", "Halted", "", "7", "-12", "b", "äß€", "a\\n\\'x", "A\\u00c4\\x41", "+5", "ab"];
const KEYS: [&str; 4] = ["restrict_ha", "restrict_dmc", "a", "nothing"];

/// An expression in our spelling, and in CEL's where a function has no equal there.
#[derive(Clone)]
struct Pair(String, String);

fn pair(text: impl Into<String>) -> Pair {
    let text = text.into();
    Pair(text.clone(), text)
}

/// Fills `$0`, `$1`, … of a form with parts.
fn form(form: &str, parts: &[Pair]) -> Pair {
    let mut pair = Pair(form.to_owned(), form.to_owned());
    for (index, part) in parts.iter().enumerate() {
        let hole = format!("${index}");
        pair = Pair(pair.0.replace(&hole, &part.0), pair.1.replace(&hole, &part.1));
    }
    pair
}

struct Maker<'b> {
    choices: Choices<'b>,
    locals: Vec<(String, Kind)>,
    /// Whether parentheses may have been left out, so that the types may come out wrong.
    loose: bool,
    names: usize,
}

impl<'b> Maker<'b> {
    fn new(bytes: &'b [u8]) -> Self {
        Self { choices: Choices { bytes: bytes.iter() }, locals: Vec::new(), loose: false, names: 0 }
    }

    fn make(&mut self, kind: Kind, depth: u32) -> Pair {
        let made = if depth == 0 { self.leaf(kind) } else { self.branch(kind, depth - 1) };
        if depth > 0 && self.choices.of(8) == 7 {
            self.loose = true;
            return made;
        }
        form("($0)", &[made])
    }

    fn local(&mut self, kind: Kind) -> Option<Pair> {
        let names: Vec<String> =
            self.locals.iter().filter(|(_, own)| *own == kind).map(|(name, _)| name.clone()).collect();
        (!names.is_empty()).then(|| pair(names[self.choices.of(names.len())].clone()))
    }

    fn leaf(&mut self, kind: Kind) -> Pair {
        if let Some(local) = self.local(kind)
            && self.choices.of(2) == 0
        {
            return local;
        }
        let quote = self.choices.pick(&["'", "\""]);
        let word = format!("{quote}{}{quote}", self.choices.pick(&WORDS));
        let key = self.choices.pick(&KEYS);
        match kind {
            Kind::Bool => match self.choices.of(6) {
                0 => pair("true"),
                1 => pair("false"),
                2 => pair("pool.ha_enabled"),
                3 => pair("joiner.wlb_enabled"),
                4 => pair(format!("has(pool.restrictions.{key})")),
                _ => self.of_vm(&["is_a_template", "is_control_domain"]),
            },
            Kind::Int => match self.choices.of(6) {
                0 => pair(self.choices.pick(&[
                    "0",
                    "1",
                    "2",
                    "-3",
                    "0x1F",
                    "9223372036854775807",
                    "-9223372036854775808",
                ])),
                1 => pair("pool.subject_count"),
                2 => pair("joiner.ha_host_failures_to_tolerate"),
                3 => pair("size(pool.vms)"),
                4 => pair("n"),
                _ => self.of_vm(&["vcpus_max", "version"]),
            },
            Kind::Text => match self.choices.of(7) {
                0 => pair(word),
                1 => pair("pool.name_label"),
                2 => pair(format!("pool.restrictions['{key}']")),
                3 => pair(format!("joiner.restrictions.{key}")),
                4 => pair("pool.default_sr"),
                5 => pair("joiner.tags[1]"),
                _ => self.of_vm(&["name_label", "power_state", "resident_on"]),
            },
            Kind::Ints => pair(self.choices.pick(&["[1, 2]", "[]", "[0, -3, 0]", "pool.vms.map(z, z.vcpus_max)"])),
            Kind::Texts => match self.choices.of(5) {
                0 => pair("['a', \"Running\"]"),
                1 => pair("pool.tags"),
                2 => pair("joiner.tags"),
                3 => self.of_vm(&["tags"]),
                _ => pair(format!("[{word}]")),
            },
            Kind::Vm => pair(self.choices.pick(&["pool.vms[0]", "joiner.vms[0]", "joiner.vms[1]"])),
        }
    }

    fn of_vm(&mut self, fields: &[&str]) -> Pair {
        let vm = match self.local(Kind::Vm) {
            Some(local) => local,
            None => pair(self.choices.pick(&["pool.vms[0]", "joiner.vms[0]"])),
        };
        let field = self.choices.pick(fields);
        form(&format!("$0.{field}"), &[vm])
    }

    fn branch(&mut self, kind: Kind, depth: u32) -> Pair {
        if self.choices.of(8) == 0 {
            let parts = [self.make(Kind::Bool, depth), self.make(kind, depth), self.make(kind, depth)];
            return form("$0 ? $1 : $2", &parts);
        }
        match kind {
            Kind::Bool => self.condition(depth),
            Kind::Int => match self.choices.of(5) {
                0 => form("$0 + $1", &[self.make(Kind::Int, depth), self.make(Kind::Int, depth)]),
                1 => form("$0 - $1", &[self.make(Kind::Int, depth), self.make(Kind::Int, depth)]),
                2 => form("-$0", &[self.make(Kind::Int, depth)]),
                3 => form("int($0)", &[self.make(Kind::Text, depth)]),
                _ => {
                    let of = [Kind::Text, Kind::Ints, Kind::Texts][self.choices.of(3)];
                    let style = self.choices.pick(&["size($0)", "$0.size()"]);
                    form(style, &[self.make(of, depth)])
                }
            },
            Kind::Text => match self.choices.of(5) {
                0 => form("$0 + $1", &[self.make(Kind::Text, depth), self.make(Kind::Text, depth)]),
                1 => form("string($0)", &[self.make([Kind::Int, Kind::Bool, Kind::Text][depth as usize % 3], depth)]),
                2 => form("$0.lowerAscii()", &[self.make(Kind::Text, depth)]),
                3 => form("$0.join(',')", &[self.make(Kind::Texts, depth)]),
                _ => form("$0.join()", &[self.make(Kind::Texts, depth)]),
            },
            Kind::Ints => match self.choices.of(4) {
                0 => form("$0 + $1", &[self.make(Kind::Ints, depth), self.make(Kind::Ints, depth)]),
                1 => form("[$0, $1]", &[self.make(Kind::Int, depth), self.make(Kind::Int, depth)]),
                2 => form("$0.distinct()", &[self.make(Kind::Ints, depth)]),
                _ => self.iterate("filter", Kind::Ints, Kind::Bool, depth),
            },
            Kind::Texts => match self.choices.of(6) {
                0 => form("$0 + $1", &[self.make(Kind::Texts, depth), self.make(Kind::Texts, depth)]),
                1 => form(
                    "[$0, $1, $2]",
                    &[self.make(Kind::Text, 0), self.make(Kind::Text, depth), self.make(Kind::Text, 0)],
                ),
                2 => form("$0.distinct()", &[self.make(Kind::Texts, depth)]),
                3 => form("$0.split($1)", &[self.make(Kind::Text, depth), self.make(Kind::Text, 0)]),
                4 => self.iterate("filter", Kind::Texts, Kind::Bool, depth),
                _ => self.iterate("map", Kind::Vm, Kind::Text, depth),
            },
            Kind::Vm => self.leaf(Kind::Vm),
        }
    }

    fn condition(&mut self, depth: u32) -> Pair {
        let scalar = [Kind::Int, Kind::Text][self.choices.of(2)];
        let list = if scalar == Kind::Int { Kind::Ints } else { Kind::Texts };
        match self.choices.of(14) {
            0 => form("$0 && $1", &[self.make(Kind::Bool, depth), self.make(Kind::Bool, depth)]),
            1 => form("$0 || $1", &[self.make(Kind::Bool, depth), self.make(Kind::Bool, depth)]),
            2 => form("!$0", &[self.make(Kind::Bool, depth)]),
            3 => {
                let op = self.choices.pick(&["==", "!=", "<", "<=", ">", ">="]);
                form(&format!("$0 {op} $1"), &[self.make(scalar, depth), self.make(scalar, depth)])
            }
            4 => form("$0 == $1", &[self.make(Kind::Bool, depth), self.make(Kind::Bool, depth)]),
            5 => form("$0 == $1", &[self.make(list, depth), self.make(list, depth)]),
            6 => form("$0 in $1", &[self.make(scalar, depth), self.make(list, depth)]),
            7 => form("$0 in joiner.restrictions", &[self.make(Kind::Text, depth)]),
            8 => {
                let name = self.choices.pick(&["startsWith", "endsWith", "contains"]);
                form(&format!("$0.{name}($1)"), &[self.make(Kind::Text, depth), self.make(Kind::Text, depth)])
            }
            9 => pair(self.choices.pick(&["pool.default_sr == null", "null != joiner.default_sr"])),
            10 => self.sets(list, depth),
            11 => {
                let name = self.choices.pick(&["exists", "all", "exists_one"]);
                self.iterate(name, list, Kind::Bool, depth)
            }
            12 => form(
                "pool.restrictions.exists(k, k == $0 || pool.restrictions[k] == $1)",
                &[self.make(Kind::Text, 0), self.make(Kind::Text, 0)],
            ),
            _ => {
                let name = self.choices.pick(&["exists", "all", "exists_one"]);
                self.iterate(name, Kind::Vm, Kind::Bool, depth)
            }
        }
    }

    /// CEL's own definition stands on the other side; an argument may come without parentheses, which it needs there.
    fn sets(&mut self, list: Kind, depth: u32) -> Pair {
        let parts = [self.make(list, depth), self.make(list, depth)];
        let (name, cel) = [
            ("contains", "($1).all(s_, s_ in ($0))"),
            ("intersects", "($0).exists(s_, s_ in ($1))"),
            ("equivalent", "($1).all(s_, s_ in ($0)) && ($0).all(s_, s_ in ($1))"),
        ][self.choices.of(3)];
        Pair(form(&format!("sets.{name}($0, $1)"), &parts).0, form(&format!("({cel})"), &parts).1)
    }

    fn iterate(&mut self, name: &str, over: Kind, body: Kind, depth: u32) -> Pair {
        if self.locals.len() >= 2 {
            return self.leaf(if name == "map" || (name == "filter" && over == Kind::Texts) {
                Kind::Texts
            } else if name == "filter" {
                Kind::Ints
            } else {
                Kind::Bool
            });
        }
        let (range, element) = match over {
            Kind::Vm => (pair(self.choices.pick(&["pool.vms", "joiner.vms"])), Kind::Vm),
            Kind::Ints => (self.make(Kind::Ints, depth), Kind::Int),
            _ => (self.make(Kind::Texts, depth), Kind::Text),
        };
        self.names += 1;
        let variable = format!("x{}", self.names);
        self.locals.push((variable.clone(), element));
        let body_part = self.make(body, depth);
        self.locals.pop();
        let seen = if element == Kind::Vm { format!("{variable}.version") } else { variable.clone() };
        // An element that its loop never uses is a mistake to us.
        let body_part = match body {
            Kind::Bool => form(&format!("({seen} == {seen}) && $0"), &[body_part]),
            _ => form(&format!("({seen} == {seen}) ? $0 : $0"), &[body_part]),
        };
        form(&format!("$0.{name}({variable}, $1)"), &[range, body_part])
    }
}

/// A pool of which every fact that the expressions mention is known.
fn complete(choices: &mut Choices<'_>) -> Pool {
    let text = |choices: &mut Choices<'_>| choices.pick(&["a", "b", "Running", "Halted", "", "7", "äß€"]).to_owned();
    let texts = |choices: &mut Choices<'_>| (0..choices.of(4)).map(|_| text(choices)).collect::<Vec<_>>();
    let maybe = |choices: &mut Choices<'_>| (choices.of(2) == 0).then(|| text(choices));
    let number = |choices: &mut Choices<'_>| [0, 1, 2, 3, -1, i64::MAX][choices.of(6)];
    let vms: Vec<_> = (0..choices.of(4))
        .map(|_| {
            serde_json::json!({
                "name_label": text(choices), "power_state": text(choices), "resident_on": maybe(choices),
                "is_a_template": choices.of(2) == 0, "is_control_domain": choices.of(2) == 0,
                "vcpus_max": number(choices), "version": number(choices), "tags": texts(choices),
            })
        })
        .collect();
    let mut restrictions = serde_json::Map::new();
    for key in &KEYS[..3] {
        if choices.of(2) == 0 {
            restrictions.insert((*key).to_owned(), text(choices).into());
        }
    }
    let pool = serde_json::json!({
        "name_label": text(choices), "ha_enabled": choices.of(2) == 0, "wlb_enabled": choices.of(2) == 0,
        "subject_count": number(choices), "ha_host_failures_to_tolerate": number(choices),
        "default_sr": maybe(choices), "tags": texts(choices), "restrictions": restrictions, "vms": vms,
    });
    serde_json::from_value(pool).unwrap()
}

/// The same pool with some facts unknown. Never absent on the release: that is an answer to `has`.
fn degraded(pool: &Pool, choices: &mut Choices<'_>) -> Pool {
    fn degrade(record: &mut serde_json::Value, choices: &mut Choices<'_>) {
        for (name, value) in record.as_object_mut().unwrap() {
            if choices.of(5) == 1 {
                *value = serde_json::json!({"$unknown": choices.pick(&["not-collected", "permission-denied"])});
            } else if name == "vms" {
                value.as_array_mut().unwrap().iter_mut().for_each(|vm| degrade(vm, choices));
            }
        }
    }
    let mut json = serde_json::to_value(pool).unwrap();
    degrade(&mut json, choices);
    serde_json::from_value(json).unwrap()
}

fn scope() -> Scope {
    Scope::new([("pool", Pool::TYPE), ("joiner", Pool::TYPE), ("n", Type::Int)])
}

/// One expression and the facts it is asked about.
struct Case {
    source: Pair,
    expr: Option<Expr>,
    pool: Pool,
    joiner: Pool,
}

fn case(source: &[u8], facts: &[u8]) -> Case {
    let mut maker = Maker::new(source);
    let kind = [Kind::Bool, Kind::Bool, Kind::Int, Kind::Text, Kind::Ints, Kind::Texts][maker.choices.of(6)];
    let pair = maker.make(kind, 3);
    let mut choices = Choices { bytes: facts.iter() };
    let (pool, joiner) = (complete(&mut choices), complete(&mut choices));
    let expr = match infer(&pair.0, &scope()) {
        Ok(expr) => Some(expr),
        // An empty list alone has no type, and without its parentheses an expression may have the wrong one.
        Err(errors) => {
            let excused = maker.loose || errors.iter().all(|error| error.message.contains("empty list"));
            assert!(excused, "{}", render("expression", &pair.0, 0, &errors));
            None
        }
    };
    Case { source: pair, expr, pool, joiner }
}

fn values(case: &Case) -> [Value<'_>; 3] {
    [case.pool.value(), case.joiner.value(), Value::Int(2)]
}

/// A value as CEL's; none where a part is unknown.
fn as_cel(value: &Value<'_>) -> Option<cel::Value> {
    Some(match value {
        Value::Null => cel::Value::Null,
        Value::Bool(value) => cel::Value::Bool(*value),
        Value::Int(value) => cel::Value::Int(*value),
        Value::Text(text) => cel::Value::String(Arc::new(text.to_string())),
        Value::List(list) => {
            let items: Option<Vec<_>> = (0..list.len()).map(|index| as_cel(&list.get(index))).collect();
            cel::Value::List(Arc::new(items?))
        }
        Value::Made(list) => cel::Value::List(Arc::new(list.iter().map(as_cel).collect::<Option<Vec<_>>>()?)),
        _ => return None,
    })
}

fn cel_env() -> Arc<cel::Env> {
    let mut env = cel::Env::stdlib();
    env.add_extension(cel::extensions::strings).unwrap();
    env.add_extension(cel::extensions::lists).unwrap();
    Arc::new(env)
}

/// Whether what is known of `less` is also what is known of `more`.
fn agrees(less: &Value<'_>, more: &Value<'_>) -> bool {
    let items = |value: &Value<'_>| -> Option<Vec<String>> {
        match value {
            Value::List(list) => Some((0..list.len()).map(|index| format!("{:?}", list.get(index))).collect()),
            Value::Made(list) => Some(list.iter().map(|item| format!("{item:?}")).collect()),
            _ => None,
        }
    };
    match (less, items(less), items(more)) {
        (Value::Unknown(_), ..) => true,
        (_, Some(less), Some(more)) => {
            less.len() == more.len()
                && less.iter().zip(&more).all(|(less, more)| less.starts_with("unknown(") || less == more)
        }
        _ => format!("{less:?}") == format!("{more:?}"),
    }
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..120)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(1500), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn complete_facts_give_the_value_that_cel_gives(source in bytes(), facts in bytes()) {
        let case = case(&source, &facts);
        let Some(expr) = &case.expr else { return Ok(()) };
        let variables = values(&case);
        let own = expr.eval(&variables, &mut Meter::default());

        let env = cel_env();
        let program = env.compile(&case.source.1).map_err(|error| {
            TestCaseError::fail(format!("CEL cannot read {}: {error}", case.source.1))
        })?;
        let mut context = cel::Context::with_env(Arc::clone(&env));
        context.add_variable("pool", &case.pool).unwrap();
        context.add_variable("joiner", &case.joiner).unwrap();
        context.add_variable("n", 2i64).unwrap();
        match (as_cel(&own), program.execute(&context)) {
            (Some(own), Ok(cel)) => prop_assert_eq!(own, cel, "{}", case.source.0),
            // CEL's functions need their arguments, as ours do; the definition that stands in for sets does not.
            (None, Ok(_)) if case.source.0 != case.source.1 => {}
            // CEL strikes out two signs before it looks at the number; here the least number has no negative, whatever follows.
            (None, Ok(_)) if case.source.0.contains("--") && format!("{own:?}").contains("does not fit into 64 bits") => {}
            (None, Ok(cel)) => prop_assert!(false, "{}: we {:?}, CEL {:?}", case.source.0, own, cel),
            // An error there is an unknown here, or one that the rest outweighs.
            (_, Err(_)) => {}
        }
    }

    #[test]
    fn an_unknown_fact_never_turns_an_answer_round(source in bytes(), facts in bytes(), lost in bytes()) {
        let mut case = case(&source, &facts);
        let Some(expr) = case.expr.take() else { return Ok(()) };
        let mut choices = Choices { bytes: lost.iter() };
        let (pool, joiner) = (degraded(&case.pool, &mut choices), degraded(&case.joiner, &mut choices));
        let (all, some) = (values(&case), [pool.value(), joiner.value(), Value::Int(2)]);
        let more = expr.eval(&all, &mut Meter::default());
        let less = expr.eval(&some, &mut Meter::default());
        prop_assert!(agrees(&less, &more), "{}: with all facts {more:?}, with fewer {less:?}", case.source.0);
    }

    #[test]
    fn the_trace_gives_the_same_value_and_evidence_of_an_unknown(source in bytes(), facts in bytes(), lost in bytes()) {
        let mut case = case(&source, &facts);
        let Some(expr) = case.expr.take() else { return Ok(()) };
        let mut choices = Choices { bytes: lost.iter() };
        case.pool = degraded(&case.pool, &mut choices);
        let variables = values(&case);
        let value = expr.eval(&variables, &mut Meter::default());
        let traced = expr.trace(&variables, &mut Meter::default());
        prop_assert!(agrees(&value, &traced.value) , "{}: {value:?}, traced {:?}", case.source.0, traced.value);
        if let Value::Unknown(unknown) = &value {
            let fact = traced.reads.iter().any(|read| read.unknown.is_some());
            let computed = ["64 bits", "is not a", "is null", "an element of"].iter().any(|why| unknown.detail().contains(why));
            prop_assert!(fact || computed, "{}: {unknown} without evidence: {:?}", case.source.0, traced.reads);
        }
        prop_assert!(traced.left_out == 0 || traced.reads.len() == poolgate::rules::expr::READS);
        let mut paths: Vec<_> = traced.reads.iter().map(|read| &read.path).collect();
        paths.sort();
        paths.dedup();
        prop_assert_eq!(paths.len(), traced.reads.len());
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>(), signs in "[a-z.()\\[\\]{}'\"\\\\&|!=<>+?:, 0-9-]{0,60}") {
        for text in [&text, &signs] {
            read(text)?;
        }
    }

    #[test]
    fn no_damage_makes_the_checker_panic(source in bytes(), at in any::<prop::sample::Index>(), with in ".{0,3}", cut in 0usize..6) {
        let text = Maker::new(&source).make(Kind::Bool, 3).0;
        let chars: Vec<char> = text.chars().collect();
        let at = at.index(chars.len() + 1);
        let end = (at + cut).min(chars.len());
        let damaged: String = chars[..at].iter().copied().chain(with.chars()).chain(chars[end..].iter().copied()).collect();
        read(&damaged)?;
    }
}

/// Reads any text as expression and as template, and shows what is wrong with it.
fn read(text: &str) -> Result<(), TestCaseError> {
    let shown = |errors: &[ExprError]| -> Result<(), TestCaseError> {
        prop_assert!(!errors.is_empty());
        for error in errors {
            prop_assert!(text.get(error.span.clone()).is_some(), "{:?} in {text:?}", error.span);
            error.position(text, 0);
        }
        prop_assert!(!render("text", text, 0, errors).is_empty());
        Ok(())
    };
    if let Err(errors) = compile(text, &scope(), Type::Bool) {
        shown(&errors)?;
    }
    if let Err(errors) = Template::compile(text, &scope()) {
        shown(&errors)?;
    }
    Ok(())
}

/// The oracle says something only while most of what is asked has an answer on both sides.
#[test]
fn most_random_expressions_are_decided() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut read, mut decided, total) = (0, 0, 1000);
    for _ in 0..total {
        let (source, facts) = (bytes(), bytes()).new_tree(&mut runner).unwrap().current();
        let case = case(&source, &facts);
        if let Some(expr) = &case.expr {
            read += 1;
            decided += usize::from(as_cel(&expr.eval(&values(&case), &mut Meter::default())).is_some());
        }
    }
    assert!(read > total / 2 && decided > total / 4, "{read} read, {decided} decided");
}
