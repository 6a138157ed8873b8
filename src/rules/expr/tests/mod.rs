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
