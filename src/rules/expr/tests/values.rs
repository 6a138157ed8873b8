use super::*;

/// Asserts the value of each expression.
fn values(cases: &[(&str, &str)]) {
    for (source, expected) in cases {
        assert_eq!(value(source), *expected, "{source}");
    }
}

#[test]
fn literals_and_operators() {
    values(&[
        ("-9223372036854775808", "-9223372036854775808"),
        ("0x10 + 1 - -2", "19"),
        ("-n", "-7"),
        (r"'a\'b\x41\u00e4\101\n' + '!'", "\"a'bAäA\\n!\""),
        ("[1, 2] + [3] + []", "[1, 2, 3]"),
        ("1 < 2 && 'a' < 'b' && !(2 <= 1) && 2 >= 2 && 3 > 2", "true"),
        ("true ? 1 : 2", "1"),
        ("false ? 1 : true ? 2 : 3", "2"),
        ("2 in [1, 2]", "true"),
        ("'x' in []", "false"),
        ("[1, 2] == [1, 2] && [] != [1]", "true"),
        ("'a' == 'a' != false", "true"),
        ("false || true && false", "false"),
        ("1 + 1 == 2 // one and one", "true"),
    ]);
}

#[test]
fn facts_and_maps() {
    values(&[
        ("pool.name_label", "\"lab\""),
        ("pool.restrictions['restrict-odd']", "\"true\""),
        ("pool.restrictions.restrict_ha", "\"false\""),
        ("'restrict_ha' in pool.restrictions", "true"),
        ("pool.restrictions.exists(k, k.startsWith('restrict_'))", "true"),
        ("pool.restrictions.filter(k, pool.restrictions[k] == 'true')", "[\"restrict-odd\"]"),
        ("pool.tags[1]", "\"rack-7\""),
        ("pool.default_sr", "null"),
        ("pool.default_sr == null", "true"),
        ("pool.suspend_image_sr == 'OpaqueRef:sr1'", "true"),
        ("pool.default_sr == 'x'", "false"),
        ("pool.suspend_image_sr != null", "true"),
        ("pool.vms[0].vifs.map(v, v.mac)", "[\"aa\", \"bb\"]"),
        ("[null, pool.suspend_image_sr, 'x'][0] == null", "true"),
    ]);
}

#[test]
fn loops() {
    values(&[
        ("pool.vms.exists(v, v.power_state == 'Running')", "true"),
        ("pool.vms.all(v, v.vcpus_max > 1)", "true"),
        ("pool.vms.all(v, v.power_state == 'Running')", "false"),
        ("pool.vms.exists_one(v, v.vcpus_max > 4)", "true"),
        ("pool.vms.exists_one(v, v.vcpus_max > 2)", "false"),
        ("pool.vms.filter(v, v.vcpus_max > 2).map(v, v.name_label)", "[\"web01\", \"db02\"]"),
        ("pool.vms.map(v, v.vcpus_max > 2, v.name_label)", "[\"web01\", \"db02\"]"),
        ("size(pool.vms.filter(v, v.vcpus_max > 2))", "2"),
        ("pool.vms.exists(v, v.vifs.exists(f, f.mac == 'bb' && v.vcpus_max == 4))", "true"),
        ("[pool].map(p, p.name_label)", "[\"lab\"]"),
    ]);
}

#[test]
fn functions() {
    values(&[
        ("size('aä€') + size([1, 2]) + size(pool.restrictions) + 'ab'.size()", "9"),
        ("'OpaqueRef'.startsWith('Opaque') && 'ref'.endsWith('f') && 'ref'.contains('e')", "true"),
        ("'ÄB'.lowerAscii() + lower('ÄB') + 'ab'.upperAscii() + ' x '.trim()", "\"ÄbäbABx\""),
        ("'a,b,c'.split(',')", "[\"a\", \"b\", \"c\"]"),
        ("['a', 'b'].join('-') + ['a', 'b'].join()", "\"a-bab\""),
        ("pool.tags.distinct()", "[\"prod\", \"rack-7\"]"),
        ("sets.contains(pool.tags, ['rack-7']) && !sets.contains(['x'], pool.tags)", "true"),
        ("sets.intersects([1, 2], [2, 3]) && !sets.intersects([1], [])", "true"),
        ("sets.equivalent([1, 2, 2], [2, 1]) && !sets.equivalent([1], [1, 2])", "true"),
        ("string(7) + string(true) + string('x')", "\"7truex\""),
        ("int('-12') + 2", "-10"),
        ("missing(pool.cpu_info.features_hvm, pool.cpu_info.features_pv)", "[\"0:1\"]"),
        ("subset(pool.cpu_info.features_pv, pool.cpu_info.features_hvm)", "true"),
        ("pool.cpu_info.features_pv == pool.cpu_info.features_hvm", "false"),
        ("version_compare('25.6.0', '25.33')", "-1"),
        ("version_compare('8.2.0', '8.2') == 0 && version_compare('10', '9.9.9') == 1", "true"),
        ("version_compare('8.2.1-rc1', '8.2.1')", "0"),
        ("version_at_least(pool.hosts[0].software_version.platform_version, '3.2')", "true"),
        ("plural(1, 'VM', 'VMs') + plural(0, 'VM', 'VMs')", "\"VMVMs\""),
    ]);
}

#[test]
fn features_are_named_as_the_scope_says() {
    let scope = scope().with_feature_names(|feature| format!("f{feature}"));
    let expr = infer("missing(pool.cpu_info.features_hvm, pool.cpu_info.features_pv)", &scope).unwrap();
    let shown = with_values(|values| format!("{:?}", expr.eval(values, &mut Meter::default())));
    assert_eq!(shown, "[\"f1\"]");
}

#[test]
fn unknown_names_the_fact() {
    values(&[
        ("pool.ha_enabled", "unknown(permission denied: pool.ha_enabled: read-only login)"),
        (
            "pool.vms.all(v, v.power_state == 'Running' || v.vcpus_max == 8)",
            "unknown(not collected: pool.vms[2].power_state)",
        ),
        ("pool.srs.exists(s, s.shared)", "unknown(not collected: pool.srs)"),
        ("pool.default_sr.startsWith('x')", "unknown(unreadable: pool.default_sr is null)"),
        ("pool.restrictions['no']", "unknown(unreadable: pool.restrictions has no key 'no')"),
        ("pool.tags[9]", "unknown(unreadable: pool.tags has no element 9)"),
        ("pool.hosts[0].cpu.vendor == 'x'", "unknown(not collected: pool.hosts[0].cpu)"),
        ("int('7x')", "unknown(unreadable: '7x' is not a number)"),
        ("version_compare('', '1')", "unknown(unreadable: '' is not a version)"),
        ("version_compare('1.x', '1')", "unknown(unreadable: '1.x' is not a version)"),
        ("9223372036854775807 + n", "unknown(unreadable: a number does not fit into 64 bits)"),
        ("-9223372036854775808 - n", "unknown(unreadable: a number does not fit into 64 bits)"),
        ("-(-9223372036854775807 - 1)", "unknown(unreadable: a number does not fit into 64 bits)"),
        ("size(pool.srs)", "unknown(not collected: pool.srs)"),
        ("pool.vms.map(v, v.power_state).join(',')", "unknown(not collected: pool.vms[2].power_state)"),
        (
            "pool.vms.filter(v, v.power_state != 'Running').map(v, v.name_label)",
            "unknown(not collected: pool.vms[2].power_state)",
        ),
    ]);
}

#[test]
fn what_is_known_outweighs_what_is_not() {
    values(&[
        ("pool.ha_enabled && false", "false"),
        ("false && pool.ha_enabled", "false"),
        ("pool.ha_enabled || true", "true"),
        ("true || pool.ha_enabled", "true"),
        ("pool.ha_enabled || false", "unknown(permission denied: pool.ha_enabled: read-only login)"),
        ("pool.ha_enabled ? 1 : 1", "1"),
        ("pool.ha_enabled ? 1 : 2", "unknown(permission denied: pool.ha_enabled: read-only login)"),
        ("pool.vms.exists(v, v.power_state == 'Halted')", "true"),
        ("pool.vms.exists(v, v.power_state == 'Paused')", "unknown(not collected: pool.vms[2].power_state)"),
        ("'Halted' in pool.vms.map(v, v.power_state)", "true"),
        ("'Paused' in pool.vms.map(v, v.power_state)", "unknown(not collected: pool.vms[2].power_state)"),
        ("pool.vms.exists_one(v, v.power_state != 'Paused')", "false"),
        ("pool.vms.exists_one(v, v.power_state == 'Running')", "unknown(not collected: pool.vms[2].power_state)"),
        ("size(pool.vms.map(v, v.power_state))", "3"),
        ("pool.vms.map(v, v.power_state) == ['a', 'b', 'c']", "false"),
        ("pool.vms.map(v, v.power_state).distinct()", "unknown(not collected: pool.vms[2].power_state)"),
        ("sets.contains(pool.vms.map(v, v.power_state), ['Running'])", "true"),
        ("sets.contains(pool.vms.map(v, v.power_state), ['x'])", "unknown(not collected: pool.vms[2].power_state)"),
        ("sets.contains(['x'], pool.vms.map(v, v.power_state))", "false"),
        (
            "sets.contains(['Running', 'Halted'], pool.vms.map(v, v.power_state))",
            "unknown(not collected: pool.vms[2].power_state)",
        ),
        (
            "sets.equivalent(['Running', 'Halted'], pool.vms.map(v, v.power_state))",
            "unknown(not collected: pool.vms[2].power_state)",
        ),
        ("sets.equivalent(pool.vms.map(v, v.power_state), ['Running'])", "false"),
        ("sets.intersects(pool.vms.map(v, v.power_state), ['Halted'])", "true"),
        ("sets.intersects(pool.vms.map(v, v.power_state), [])", "false"),
        ("word in pool.vms.filter(v, v.vcpus_max > 99).map(v, v.name_label)", "false"),
    ]);
}

#[test]
fn has_tells_absent_from_not_collected() {
    values(&[
        ("has(pool.name_label)", "true"),
        ("has(pool.default_sr)", "false"),
        ("has(pool.tls_verification_enabled)", "false"),
        ("has(pool.ha_enabled)", "unknown(permission denied: pool.ha_enabled: read-only login)"),
        ("has(pool.restrictions.restrict_ha)", "true"),
        ("has(pool.restrictions.nothing)", "false"),
        ("has(pool.cpu_info.vendor)", "true"),
        ("has(pool.hosts[0].cpu.vendor)", "unknown(not collected: pool.hosts[0].cpu)"),
        ("has(pool.hosts[3].cpu)", "unknown(unreadable: pool.hosts has no element 3)"),
    ]);
}

#[test]
fn null_at_the_top_is_unknown_unless_it_is_allowed() {
    let plain = compile("pool.default_sr", &scope(), Type::Text).unwrap();
    let nullable = compile("pool.default_sr", &scope(), Type::Nullable(&Type::Text)).unwrap();
    with_values(|values| {
        let mut meter = Meter::default();
        assert_eq!(format!("{:?}", plain.eval(values, &mut meter)), "unknown(unreadable: pool.default_sr is null)");
        assert_eq!(format!("{:?}", nullable.eval(values, &mut meter)), "null");
    });
}

#[test]
fn cost_is_limited() {
    let list = format!("[{}]", vec!["1"; 300].join(","));
    let expr = checked(&format!("{list}.all(a, {list}.all(b, {list}.all(c, a == b && b == c)))"));
    with_values(|values| {
        let mut meter = Meter::default();
        let value = format!("{:?}", expr.eval(values, &mut meter));
        assert_eq!(value, "unknown(unreadable: this needs more than 1000000 steps; ask less of long lists)");
        assert!(meter.exhausted());
        assert!(meter.spent() < 2 * Meter::DEFAULT_LIMIT, "{}", meter.spent());
    });
}

#[test]
fn values_that_do_not_fit_the_scope_are_unknown() {
    let expr = checked("pool.ha_enabled || n > 1");
    let mut meter = Meter::default();
    assert!(matches!(expr.eval(&[], &mut meter), Value::Unknown(_)));
    assert!(matches!(expr.eval(&[Value::Int(1), Value::Bool(true)], &mut meter), Value::Unknown(_)));
}

#[test]
fn the_type_of_an_expression_is_known() {
    let ty = |source: &str| checked(source).ty().to_string();
    assert_eq!(ty("pool.vms.filter(v, v.is_a_template)"), "list of VM");
    assert_eq!(ty("pool.vms.map(v, v.tags)"), "list of list of text");
    assert_eq!(ty("true ? pool.default_sr : 'x'"), "text or null");
    assert_eq!(ty("[null, 'x']"), "list of text or null");
}
