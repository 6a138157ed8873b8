//! Tests of the expression language over a small pool.

mod evidence;
mod mistakes;
mod templates;
mod values;

use super::{Expr, Meter, Scope, Template, Value, compile, infer};
use crate::facts::{Fact, Type};
use crate::snapshot::Pool;

/// A pool in which a few things are known and a few are not.
fn pool() -> Pool {
    let pool = serde_json::json!({
        "name_label": "lab",
        "ha_enabled": {"$unknown": "permission-denied", "detail": "read-only login"},
        "tls_verification_enabled": {"$unknown": "absent-on-release"},
        "igmp_snooping_enabled": false,
        "subject_count": 3,
        "default_sr": null,
        "suspend_image_sr": "OpaqueRef:sr1",
        "tags": ["prod", "rack-7", "prod"],
        "restrictions": {"restrict_ha": "false", "restrict-odd": "true"},
        "cpu_info": {"vendor": "GenuineIntel", "features_hvm": "00000003-00000000", "features_pv": "00000001"},
        "hosts": [{"name_label": "h1", "memory_free": 5, "software_version": {"platform_version": "3.4.0"}}],
        "vms": [
            {"name_label": "web01", "power_state": "Running", "vcpus_max": 4, "tags": ["a"],
             "vifs": [{"mac": "aa", "device": "0"}, {"mac": "bb", "device": "1"}]},
            {"name_label": "db02", "power_state": "Halted", "vcpus_max": 8, "tags": [], "vifs": []},
            {"name_label": "odd", "vcpus_max": 2, "is_a_template": true, "last_boot_features": null},
        ],
    });
    serde_json::from_value(pool).unwrap()
}

fn scope() -> Scope {
    Scope::new([("pool", Pool::TYPE), ("n", Type::Int), ("word", Type::Text)])
}

fn with_values<T>(then: impl FnOnce(&[Value<'_>]) -> T) -> T {
    let pool = pool();
    then(&[pool.value(), Value::Int(7), Value::Text("seven".into())])
}

/// The value of an expression of any type, as text.
fn value(source: &str) -> String {
    let expr = checked(source);
    with_values(|values| format!("{:?}", expr.eval(values, &mut Meter::default())))
}

fn checked(source: &str) -> Expr {
    infer(source, &scope()).unwrap_or_else(|errors| panic!("{source}: {errors:?}"))
}

#[test]
fn checked_expressions_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Expr>();
    shared::<Template>();
}

#[test]
fn every_function_has_a_signature_and_a_sentence() {
    for function in super::functions() {
        assert!(function.doc.ends_with('.'), "{}", function.name);
    }
    let signatures: Vec<_> = super::functions().iter().map(super::Function::signature).collect();
    insta::assert_snapshot!(signatures.join("\n"), @r"
    size(of: text, list or map) -> int
    text.startsWith(prefix: text) -> bool
    text.endsWith(suffix: text) -> bool
    text.contains(part: text) -> bool
    text.lowerAscii() -> text
    text.upperAscii() -> text
    lower(text: text) -> text
    text.trim() -> text
    text.split(separator: text) -> list of text
    list.join([separator: text]) -> text
    list.distinct() -> the same list
    sets.contains(list: list, part: list) -> bool
    sets.intersects(a: list, b: list) -> bool
    sets.equivalent(a: list, b: list) -> bool
    string(value: int, bool or text) -> text
    int(text: text) -> int
    version_compare(a: text, b: text) -> int
    version_at_least(a: text, b: text) -> bool
    missing(a: features, b: features) -> list of text
    subset(a: features, b: features) -> bool
    plural(count: int, one: text, many: text) -> text
    ");
}
