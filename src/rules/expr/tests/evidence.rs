use super::*;
use crate::rules::expr::{READS, Traced};

fn traced(source: &str) -> String {
    let expr = checked(source);
    with_values(|values| {
        let Traced { value, reads, left_out } = expr.trace(values, &mut Meter::default());
        let mut out = format!("{value:?}\n");
        for read in &reads {
            let what = match &read.unknown {
                Some(unknown) => unknown.to_string(),
                None => read.value.clone(),
            };
            out.push_str(&format!("{} = {what}", read.path));
            out.push_str(&format!(" on {:?}{}\n", read.object, if read.volatile { ", volatile" } else { "" }));
        }
        if left_out > 0 {
            out.push_str(&format!("{left_out} more\n"));
        }
        out
    })
}

#[test]
fn only_the_deciding_side_is_evidence() {
    insta::assert_snapshot!(traced("pool.igmp_snooping_enabled && pool.subject_count == 3"), @r#"
    false
    pool.igmp_snooping_enabled = false on "pool lab"
    "#);
    insta::assert_snapshot!(traced("pool.subject_count == 3 && pool.igmp_snooping_enabled"), @r#"
    false
    pool.igmp_snooping_enabled = false on "pool lab"
    "#);
    insta::assert_snapshot!(traced("pool.subject_count == 3 || pool.ha_enabled"), @r#"
    true
    pool.subject_count = 3 on "pool lab"
    "#);
    insta::assert_snapshot!(traced("pool.subject_count == 3 && pool.ha_enabled"), @r#"
    unknown(permission denied: pool.ha_enabled: read-only login)
    pool.ha_enabled = permission denied: read-only login on "pool lab"
    "#);
    insta::assert_snapshot!(traced("pool.subject_count == 3 && pool.name_label == 'lab'"), @r#"
    true
    pool.subject_count = 3 on "pool lab"
    pool.name_label = 'lab' on "pool lab"
    "#);
    insta::assert_snapshot!(traced("pool.ha_enabled == pool.igmp_snooping_enabled"), @r#"
    unknown(permission denied: pool.ha_enabled: read-only login)
    pool.ha_enabled = permission denied: read-only login on "pool lab"
    "#);
}

#[test]
fn only_the_deciding_element_is_evidence() {
    insta::assert_snapshot!(traced("pool.vms.exists(v, v.power_state == 'Halted')"), @r#"
    true
    pool.vms[1].power_state = 'Halted' on "VM db02"
    "#);
    insta::assert_snapshot!(traced("pool.vms.exists(v, v.vcpus_max > 99)"), @r#"
    false
    pool.vms[0].vcpus_max = 4 on "VM web01"
    pool.vms[1].vcpus_max = 8 on "VM db02"
    pool.vms[2].vcpus_max = 2 on "VM odd"
    pool.vms = [VM web01, VM db02, VM odd] on "pool lab"
    "#);
    insta::assert_snapshot!(traced("pool.vms.all(v, v.power_state != 'Paused')"), @r#"
    unknown(not collected: pool.vms[2].power_state)
    pool.vms[2].power_state = not collected on "VM odd"
    "#);
    insta::assert_snapshot!(traced("pool.vms.exists(v, v.vifs.exists(f, f.mac == 'bb'))"), @r#"
    true
    pool.vms[0].vifs[1].mac = 'bb' on "VIF 1"
    "#);
    insta::assert_snapshot!(traced("pool.vms.filter(v, v.vcpus_max > 2).exists(v, v.power_state == 'Halted')"), @r#"
    true
    pool.vms[0].vcpus_max = 4 on "VM web01"
    pool.vms[1].vcpus_max = 8 on "VM db02"
    pool.vms[1].power_state = 'Halted' on "VM db02"
    "#);
    insta::assert_snapshot!(traced("pool.vms.exists_one(v, v.vcpus_max == 8)"), @r#"
    true
    pool.vms[1].vcpus_max = 8 on "VM db02"
    "#);
    insta::assert_snapshot!(traced("[pool].exists(p, p.subject_count == 3)"), @r#"
    true
    pool.subject_count = 3 on "pool lab"
    "#);
}

#[test]
fn paths_show_keys_and_what_bars_the_way() {
    insta::assert_snapshot!(traced("pool.restrictions['restrict-odd'] == 'true'"), @r#"
    true
    pool.restrictions['restrict-odd'] = 'true' on "pool lab"
    "#);
    insta::assert_snapshot!(traced("has(pool.restrictions.nothing)"), @r#"
    false
    pool.restrictions['nothing'] = absent on "pool lab"
    "#);
    insta::assert_snapshot!(traced("pool.restrictions['nothing'] == 'true'"), @r#"
    unknown(unreadable: pool.restrictions has no key 'nothing')
    pool.restrictions['nothing'] = unreadable: pool.restrictions has no key 'nothing' on "pool lab"
    "#);
    insta::assert_snapshot!(traced("pool.hosts[0].cpu.vendor == 'x'"), @r#"
    unknown(not collected: pool.hosts[0].cpu)
    pool.hosts[0].cpu = not collected on "host h1"
    "#);
    insta::assert_snapshot!(traced("pool.hosts[0].memory_free > 4"), @r#"
    true
    pool.hosts[0].memory_free = 5 on "host h1", volatile
    "#);
    insta::assert_snapshot!(traced("'prod' in pool.tags && size(pool.vms) == 3 && word == 'seven'"), @r#"
    true
    pool.tags = ['prod', 'rack-7', 'prod'] on "pool lab"
    pool.vms = [VM web01, VM db02, VM odd] on "pool lab"
    word = 'seven' on ""
    "#);
    insta::assert_snapshot!(traced("pool.ha_enabled ? pool.subject_count == 3 : pool.name_label == 'lab'"), @r#"
    true
    pool.subject_count = 3 on "pool lab"
    pool.name_label = 'lab' on "pool lab"
    "#);
}

#[test]
fn evidence_is_bounded() {
    let mut pool = pool();
    let vms = pool.vms.get_mut().unwrap();
    let vm = vms[0].clone();
    vms.resize(500, vm);
    let expr = checked("pool.vms.exists(v, v.vcpus_max > 99)");
    let values = [pool.value(), Value::Int(0), Value::Text("".into())];
    let traced = expr.trace(&values, &mut Meter::default());
    assert_eq!((traced.reads.len(), traced.left_out), (READS, 500 + 1 - READS));
}

#[test]
fn facts_of_an_expression() {
    let facts = |source: &str| checked(source).facts().join(" ");
    insta::assert_snapshot!(facts("pool.vms.filter(v, v.is_a_template).exists(w, w.vifs.all(f, f.mac == word)) && has(pool.restrictions.x)"), @"pool.restrictions['x'] pool.vms pool.vms[].is_a_template pool.vms[].vifs pool.vms[].vifs[].mac word");
    insta::assert_snapshot!(facts("pool.restrictions[pool.name_label] == 'a' || pool.tags[0] == 'b'"), @"pool.name_label pool.restrictions[] pool.tags[0]");
}
