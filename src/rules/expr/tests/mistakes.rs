use super::*;
use crate::rules::expr::render;

fn shown(source: &str) -> String {
    let file = format!("condition = '''{source}'''\n");
    let errors = compile(source, &scope(), Type::Bool).expect_err(source);
    render("rule.toml", &file, 15, &errors)
}

/// Each mistake on one line: place, message, help.
fn listed(sources: &[&str]) -> String {
    let mut out = String::new();
    for source in sources {
        out.push_str(&format!("{source}\n"));
        for error in compile(source, &scope(), Type::Bool).expect_err(source) {
            let marked = source.get(error.span.clone()).unwrap_or("?");
            out.push_str(&format!("    at `{marked}`: {error}\n"));
        }
    }
    out
}

#[test]
fn mistakes_are_shown_in_their_file() {
    insta::assert_snapshot!(shown("pool.ha_enabld == true &&\n  pool.vms.exists(v, v.power_stat == 'Running')"), @r#"
    error: pool has no field "ha_enabld"
     --> rule.toml:1:21
      |
    1 | condition = '''pool.ha_enabld == true &&
      |                     ^^^^^^^^^
      |
      = help: did you mean "ha_enabled"?
    error: VM has no field "power_stat"
     --> rule.toml:2:24
      |
    2 |   pool.vms.exists(v, v.power_stat == 'Running')'''
      |                        ^^^^^^^^^^
      |
      = help: did you mean "power_state"?
    "#);
}

#[test]
fn positions_count_characters() {
    let error = &compile("'äö' == m", &scope(), Type::Bool).unwrap_err()[0];
    let file = "title = 'x'\nwhen = '''\n'äö' == m'''";
    assert_eq!(error.position(file, 23), (3, 9));
    assert_eq!((error.line(file, 23), error.column(file, 23)), (3, 9));
    assert_eq!(error.position("", 99), (1, 1));
}

#[test]
fn names() {
    insta::assert_snapshot!(listed(&[
        "pool.ha_enabld",
        "pool.cpu_info.colour == 'x'",
        "joiner.ha_enabled",
        "pol.ha_enabled",
        "pool.vms.exists(vm, v.is_a_template)",
        "size == 1",
        "pool.name_label.x == 'a'",
        "pool.vms.name_label == 'a'",
        "sizes(pool.vms) == 1",
        "pool.name_label.startWith('x')",
        "pool.name_label.matches('x')",
        "sets.contain([1], [2])",
        "frobnicate(1)",
    ]), @r#"
    pool.ha_enabld
        at `ha_enabld`: pool has no field "ha_enabld" (did you mean "ha_enabled"?)
    pool.cpu_info.colour == 'x'
        at `colour`: pool_cpu has no field "colour" (pool_cpu has vendor, cpu_count, socket_count, features_pv, features_hvm, features_pv_host and features_hvm_host)
    joiner.ha_enabled
        at `joiner`: there is no variable "joiner" (known here: pool, n and word)
    pol.ha_enabled
        at `pol`: there is no variable "pol" (did you mean "pool"?)
    pool.vms.exists(vm, v.is_a_template)
        at `v`: there is no variable "v" (known here: vm, pool, n and word)
    size == 1
        at `size`: there is no variable "size" (size is a function: write size(…))
    pool.name_label.x == 'a'
        at `x`: text has no fields
    pool.vms.name_label == 'a'
        at `name_label`: list of VM has no fields (for each element: exists(x, …), all(x, …), filter(x, …) or map(x, …))
    sizes(pool.vms) == 1
        at `sizes`: there is no function "sizes" (did you mean "size"?)
    pool.name_label.startWith('x')
        at `startWith`: there is no function "startWith" (did you mean "startsWith"?)
    pool.name_label.matches('x')
        at `matches`: there is no function "matches" (regular expressions are not part of the language; see startsWith and contains)
    sets.contain([1], [2])
        at `sets.contain`: there is no function "sets.contain" (did you mean "sets.contains"?)
    frobnicate(1)
        at `frobnicate`: there is no function "frobnicate" (known are size, startsWith, endsWith, contains, lowerAscii, upperAscii, lower, trim, split, join, distinct, sets.contains and 9 more)
    "#);
}

#[test]
fn types() {
    insta::assert_snapshot!(listed(&[
        "pool.subject_count == '2'",
        "pool.ha_enabled == 'true'",
        "pool.name_label < 3",
        "pool.ha_enabled < true",
        "1 < 2 < 3",
        "pool.cpu_info.features_pv < pool.cpu_info.features_hvm",
        "pool.hosts[0] == pool.hosts[0]",
        "pool.restrictions == pool.restrictions",
        "pool.name_label == null",
        "null == null",
        "pool.subject_count",
        "pool.vms",
        "pool.name_label",
        "pool.subject_count && true",
        "!pool.name_label",
        "-pool.name_label == 1",
        "1 + 'a' == 2",
        "pool.vms + 1 == 2",
        "'a' - 1 == 2",
        "3 in pool.tags",
        "'a' in 'abc'",
        "pool.hosts[0] in pool.hosts",
        "1 in pool.restrictions",
        "[1, 'a'] == []",
        "[null] == []",
        "true ? 1 : 'a'",
        "pool.subject_count ? true : false",
        "pool.tags['a'] == 'b'",
        "pool.tags[n] == 'b'",
        "pool.tags[-1] == 'b'",
        "pool.restrictions[1] == 'b'",
        "pool['name_label'] == 'b'",
        "pool.vms.map(v, v.name_label)",
    ]), @r#"
    pool.subject_count == '2'
        at `pool.subject_count == '2'`: "==" cannot compare int with text (a text is in quotes, a number is not; int(text) reads a number)
    pool.ha_enabled == 'true'
        at `pool.ha_enabled == 'true'`: "==" cannot compare bool with text (true and false are written without quotes, a text with them)
    pool.name_label < 3
        at `pool.name_label < 3`: "<" cannot compare text with int (a text is in quotes, a number is not; int(text) reads a number)
    pool.ha_enabled < true
        at `<`: bool has no order (join comparisons with &&: a < b && b < c)
    1 < 2 < 3
        at `1 < 2 < 3`: "<" cannot compare bool with int
    pool.cpu_info.features_pv < pool.cpu_info.features_hvm
        at `<`: features has no order (subset(a, b) compares sets of features)
    pool.hosts[0] == pool.hosts[0]
        at `pool.hosts[0] == pool.hosts[0]`: "==" cannot compare host (compare a field of it, such as its reference)
    pool.restrictions == pool.restrictions
        at `pool.restrictions == pool.restrictions`: "==" cannot compare map of text (compare the values of its keys)
    pool.name_label == null
        at `pool.name_label == null`: this text is never null (a missing fact is unknown, not null; has(…) asks whether it is there)
    null == null
        at `null == null`: both sides are null
    pool.subject_count
        at `pool.subject_count`: expected bool, this is int (compare it with a number: … > 0)
    pool.vms
        at `pool.vms`: expected bool, this is list of VM (ask size(…) > 0, or exists(x, …))
    pool.name_label
        at `pool.name_label`: expected bool, this is text (compare it with a text: … == 'yes')
    pool.subject_count && true
        at `pool.subject_count`: "&&" needs bool, this is int (compare it with a number: … > 0)
    !pool.name_label
        at `pool.name_label`: "!" needs bool, this is text (compare it with a text: … == 'yes')
    -pool.name_label == 1
        at `pool.name_label`: "-" needs int, this is text (int(text) reads a number)
    1 + 'a' == 2
        at `1 + 'a'`: "+" cannot join int and text (it adds two ints, two texts or two lists; string(n) makes a text of a number)
    pool.vms + 1 == 2
        at `pool.vms + 1`: "+" cannot join list of VM and int (it adds two ints, two texts or two lists; string(n) makes a text of a number)
    'a' - 1 == 2
        at `'a'`: "-" needs int, this is text
    3 in pool.tags
        at `3`: a list of text holds no int (both sides of "in" need the same type)
    'a' in 'abc'
        at `'abc'`: "in" needs a list or a map, this is text (a text in a text: write text.contains(part))
    pool.hosts[0] in pool.hosts
        at `pool.hosts[0]`: "in" cannot compare host (look with exists(x, …) for a field of it)
    1 in pool.restrictions
        at `1`: the keys of a map are text, this is int
    [1, 'a'] == []
        at `'a'`: the list holds int, this is text (all elements of a list have one type)
    [null] == []
        at `[null]`: a list of null has no use
    true ? 1 : 'a'
        at `true ? 1 : 'a'`: both cases of "? :" need one type, these are int and text
    pool.subject_count ? true : false
        at `pool.subject_count`: the condition before "?" needs bool, this is int (compare it with a number: … > 0)
    pool.tags['a'] == 'b'
        at `'a'`: the position in a list is a plain number from 0 (to look for an element, use exists(x, …) or filter(x, …))
    pool.tags[n] == 'b'
        at `n`: the position in a list is a plain number from 0 (to look for an element, use exists(x, …) or filter(x, …))
    pool.tags[-1] == 'b'
        at `-1`: the position in a list is a plain number from 0 (to look for an element, use exists(x, …) or filter(x, …))
    pool.restrictions[1] == 'b'
        at `1`: a key of a map needs text, this is int (string(n) makes a text of a number)
    pool['name_label'] == 'b'
        at `pool`: pool has no elements (a field is written .name_label)
    pool.vms.map(v, v.name_label)
        at `pool.vms.map(v, v.name_label)`: expected bool, this is list of text (ask size(…) > 0, or exists(x, …))
    "#);
}

#[test]
fn calls_and_loops() {
    insta::assert_snapshot!(listed(&[
        "size() == 1",
        "size(1) == 1",
        "pool.name_label.startsWith()",
        "pool.name_label.startsWith('a', 'b')",
        "pool.name_label.startsWith(1)",
        "startsWith(pool.name_label, 'a')",
        "pool.name_label.subset(1)",
        "missing(pool.name_label, 'a') == []",
        "sets.contains(pool.tags, [1])",
        "int(3) == 3",
        "plural('a', 'b', 'c') == ''",
        "pool.hosts.distinct() == []",
        "pool.vms.exists(v)",
        "pool.vms.exists('v', true)",
        "pool.vms.exists(pool, pool.is_a_template)",
        "pool.vms.exists(v, v.vifs.exists(v, v.mac == ''))",
        "pool.vms.exists(v, true)",
        "pool.vms.exists(v, v.name_label)",
        "pool.name_label.exists(c, c == 'a')",
        "[1].all(a, [1].all(b, [1].all(c, [1].all(d, d == 1))))",
        "has(pool)",
        "has(pool.restrictions['a'])",
        "has(pool.name_lable)",
        "has()",
    ]), @r#"
    size() == 1
        at `size()`: size needs 1 argument, 0 given (write size(of: text, list or map) -> int)
    size(1) == 1
        at `1`: size needs text, list or map here, this is int (write size(of: text, list or map) -> int)
    pool.name_label.startsWith()
        at `pool.name_label.startsWith()`: startsWith needs 1 argument, 0 given (write text.startsWith(prefix: text) -> bool)
    pool.name_label.startsWith('a', 'b')
        at `pool.name_label.startsWith('a', 'b')`: startsWith needs 1 argument, 2 given (write text.startsWith(prefix: text) -> bool)
    pool.name_label.startsWith(1)
        at `1`: startsWith needs text here, this is int (write text.startsWith(prefix: text) -> bool)
    startsWith(pool.name_label, 'a')
        at `startsWith`: "startsWith" is not called like this (write text.startsWith(prefix: text) -> bool)
    pool.name_label.subset(1)
        at `subset`: "subset" is not called like this (write subset(a: features, b: features) -> bool)
    missing(pool.name_label, 'a') == []
        at `pool.name_label`: missing needs features here, this is text (write missing(a: features, b: features) -> list of text)
        at `'a'`: missing needs features here, this is text (write missing(a: features, b: features) -> list of text)
    sets.contains(pool.tags, [1])
        at `[1]`: sets.contains needs list of text here, this is list of int (write sets.contains(list: list, part: list) -> bool)
    int(3) == 3
        at `3`: int needs text here, this is int (write int(text: text) -> int)
    plural('a', 'b', 'c') == ''
        at `'a'`: plural needs int here, this is text (write plural(count: int, one: text, many: text) -> text)
    pool.hosts.distinct() == []
        at `pool.hosts`: distinct needs list here, this is list of host (write list.distinct() -> the same list)
        at `pool.hosts.distinct() == []`: "==" cannot compare list of host (compare a field of it, such as its reference)
    pool.vms.exists(v)
        at `pool.vms.exists(v)`: exists needs a name and an expression (write list.exists(x, …))
    pool.vms.exists('v', true)
        at `'v'`: the name of an element is a plain name (write list.exists(x, …))
    pool.vms.exists(pool, pool.is_a_template)
        at `pool`: "pool" is already the name of something (choose another name for the element)
    pool.vms.exists(v, v.vifs.exists(v, v.mac == ''))
        at `v`: "v" is already the name of something (choose another name for the element)
    pool.vms.exists(v, true)
        at `v`: "v" is never used (the expression after it speaks of each element as v)
    pool.vms.exists(v, v.name_label)
        at `v.name_label`: the condition of exists needs bool, this is text (compare it with a text: … == 'yes')
    pool.name_label.exists(c, c == 'a')
        at `pool.name_label`: exists needs a list or a map, this is text
    [1].all(a, [1].all(b, [1].all(c, [1].all(d, d == 1))))
        at `[1].all(d, d == 1)`: all nests deeper than 3 loops (split the rule in two, or derive the fact in code)
    has(pool)
        at `pool`: has(…) needs the path of a fact, such as host.cpu.vendor
    has(pool.restrictions['a'])
        at `pool.restrictions['a']`: has(…) needs the path of a fact, such as host.cpu.vendor (write 'key' in map)
    has(pool.name_lable)
        at `name_lable`: pool has no field "name_lable" (did you mean "name_label"?)
    has()
        at `has()`: has(…) needs one fact
    "#);
}

#[test]
fn syntax() {
    insta::assert_snapshot!(listed(&[
        "",
        "   // nothing",
        "pool.ha_enabled = true",
        "true & false",
        "true and false",
        "n * 2 == 4",
        "1.5 > 1",
        "1u == 1",
        "99999999999999999999 == 1",
        "9223372036854775808 == 1",
        "'abc",
        r"'\q' == ''",
        r"'\ud800' == ''",
        "(true",
        "true)",
        "[1, 2 == []",
        "pool.",
        "pool.vms[",
        "true ? false",
        "{'a': 1} == 1",
        "pool.name_label == “lab”",
        "size(1 +) == f(,) && (2 * 3)",
        "in == 1",
        "a b",
    ]), @r#"

        at ``: an expression is missing
       // nothing
        at ``: an expression is missing
    pool.ha_enabled = true
        at `=`: expected an operator or the end of the expression, found "=" (equality is written ==)
    true & false
        at `&`: expected an operator or the end of the expression, found "&" ("and" is written &&)
    true and false
        at `and`: expected an operator or the end of the expression, found "and" ("and" is written &&)
    n * 2 == 4
        at `*`: expected an operator or the end of the expression, found "*" ("*" is not part of the language; facts that need it are derived in code)
    1.5 > 1
        at `1.5`: numbers with a fraction are not part of the language (all numbers are whole; compare versions as texts with version_compare(a, b))
    1u == 1
        at `1u`: "1u" is not a number (a number is decimal digits, or 0x and hex digits)
    99999999999999999999 == 1
        at `99999999999999999999`: this number does not fit into 64 bits
    9223372036854775808 == 1
        at `9223372036854775808`: this number does not fit into 64 bits
    'abc
        at `'abc`: this text has no closing ' (a text ends on the line on which it began; write \n for a line break)
    '\q' == ''
        at `\q`: unknown escape in a text (known are \\ \' \" \` \? \a \b \f \n \r \t \v \xHH \uHHHH \UHHHHHHHH and \OOO; write \\ for a backslash)
    '\ud800' == ''
        at `\ud800`: unknown escape in a text (known are \\ \' \" \` \? \a \b \f \n \r \t \v \xHH \uHHHH \UHHHHHHHH and \OOO; write \\ for a backslash)
    (true
        at ``: expected ")" to close the parenthesis, found the end of the expression
    true)
        at `)`: expected an operator or the end of the expression, found ")"
    [1, 2 == []
        at ``: expected "]" after the list, found the end of the expression
    pool.
        at ``: expected a field or a function after ".", found the end of the expression
    pool.vms[
        at ``: expected an expression, found the end of the expression
    true ? false
        at ``: expected ":" and the other case after "?", found the end of the expression
    {'a': 1} == 1
        at `{`: expected an expression, found "{" (maps and messages cannot be written in an expression)
    pool.name_label == “lab”
        at `“`: unexpected character '“'
        at `”`: unexpected character '”'
    size(1 +) == f(,) && (2 * 3)
        at `)`: expected an expression, found ")"
        at `,`: expected an expression, found ","
        at `)`: expected an expression, found ")"
        at `*`: expected ")" to close the parenthesis, found "*"
    in == 1
        at `in`: expected an expression, found "in"
    a b
        at `b`: expected an operator or the end of the expression, found "b"
    "#);
}

#[test]
fn depth_and_length_are_limited() {
    for deep in [
        format!("{}true{}", "(".repeat(5000), ")".repeat(5000)),
        format!("{}true", "!".repeat(5000)),
        format!("1{} == 1", " + 1".repeat(3000)),
        format!("pool{}", ".a".repeat(5000)),
        format!("{}1{} == 1", "[".repeat(5000), "]".repeat(5000)),
        format!("{}true", "true ? true : ".repeat(1000)),
        "f(".repeat(5000),
        "-".repeat(5000),
    ] {
        let errors = compile(&deep, &scope(), Type::Bool).unwrap_err();
        assert!(errors[0].message.contains("nests deeper"), "{errors:?}");
    }
    for allowed in [
        format!("{}true{}", "(".repeat(60), ")".repeat(60)),
        format!("{}true", "!".repeat(60)),
        format!("1{} == 62", " + 1".repeat(61)),
        format!("{}true", "true ? true : ".repeat(60)),
    ] {
        assert_eq!(value(&allowed), "true");
    }
    let wide = vec!["n == 7"; 1500].join(" && ");
    assert!(compile(&wide, &scope(), Type::Bool).is_ok());
    let errors = compile(&" ".repeat(20_000), &scope(), Type::Bool).unwrap_err();
    assert_eq!(errors[0].message, "this expression is longer than 16384 bytes");
}
