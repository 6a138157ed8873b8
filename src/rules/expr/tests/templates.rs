use super::*;

fn rendered(source: &str) -> String {
    let template = Template::compile(source, &scope()).unwrap_or_else(|errors| panic!("{source}: {errors:?}"));
    with_values(|values| match template.render(values, &mut Meter::default()) {
        Ok(text) => text,
        Err(unknown) => format!("error {unknown}; {}", template.render_lossy(values, &mut Meter::default())),
    })
}

#[test]
fn holes_are_filled() {
    insta::assert_snapshot!(rendered("{pool.name_label} has {size(pool.vms)} {plural(size(pool.vms), 'VM', 'VMs')}: {pool.tags}"), @"lab has 3 VMs: prod, rack-7, prod");
    insta::assert_snapshot!(rendered("{{x}} {'}' + \"{\"} {pool.igmp_snooping_enabled} {pool.cpu_info.features_pv} {pool.default_sr} {[1, 2]}"), @"{x} }{ false 00000001 none 1, 2");
    insta::assert_snapshot!(rendered("no holes"), @"no holes");
    insta::assert_snapshot!(rendered(""), @"");
}

#[test]
fn unknown_holes_are_named() {
    insta::assert_snapshot!(rendered("HA is {pool.ha_enabled}"), @"error permission denied: pool.ha_enabled: read-only login; HA is (unknown: permission denied: pool.ha_enabled: read-only login)");
    insta::assert_snapshot!(rendered("{pool.vms.map(v, v.power_state)}."), @"error not collected: pool.vms[2].power_state; (unknown: not collected: pool.vms[2].power_state).");
}

#[test]
fn what_only_adds_to_a_text_adds_nothing_where_it_is_unknown() {
    insta::assert_snapshot!(rendered("lab{pool.ha_enabled ? ', with HA' : ''}."), @"error permission denied: pool.ha_enabled: read-only login; lab.");
    insta::assert_snapshot!(rendered("lab is {pool.ha_enabled ? 'with' : 'without'} HA"), @"error permission denied: pool.ha_enabled: read-only login; lab is (unknown: permission denied: pool.ha_enabled: read-only login) HA");
}

#[test]
fn commands_are_quoted() {
    let template = Template::compile("xe vm-shutdown name={pool.vms[0].name_label}", &scope()).unwrap();
    let text = with_values(|values| {
        template.render_quoted(values, &mut Meter::default(), |text| format!("'{text}'")).unwrap()
    });
    assert_eq!(text, "xe vm-shutdown name='web01'");
    assert_eq!(template.facts(), ["pool.vms[0].name_label"]);
}

#[test]
fn mistakes_have_their_place_in_the_text() {
    let errors = |source: &str| {
        let errors = Template::compile(source, &scope()).unwrap_err();
        errors.iter().map(|error| format!("{:?} {error}\n", error.span)).collect::<String>()
    };
    insta::assert_snapshot!(errors("a {pool.nam_label} b {pool.hosts} c }"), @r#"
    8..17 pool has no field "nam_label" (did you mean "name_label"?)
    22..32 list of host cannot be printed in a text (a hole holds text, int, bool, features, or a list of text or int; name a field of the record)
    36..37 this } closes no hole (write }} for the brace itself)
    "#);
    insta::assert_snapshot!(errors("ä {n"), @"3..5 this hole has no closing } (write {{ for the brace itself)");
    insta::assert_snapshot!(errors("{}"), @"1..1 an expression is missing");
}
