use super::*;
use crate::snapshot::{Host, Pool};

fn pif(ip: &str, netmask: &str) -> Pif {
    Pif {
        ip: ip.to_owned().into(),
        netmask: netmask.to_owned().into(),
        primary_address_type: "IPv4".to_owned().into(),
        ..Pif::default()
    }
}

#[test]
fn subnets_are_compared_by_both_masks() {
    let same = |a: &Pif, b: &Pif| {
        address::same_subnet(&address::of(&Known::Yes(Some(a))), &address::of(&Known::Yes(Some(b))))
    };
    let here = pif("10.0.1.10", "255.255.255.0");
    assert_eq!(same(&here, &pif("10.0.1.210", "255.255.255.0")), Ok(Some(true)));
    assert_eq!(same(&here, &pif("10.0.2.210", "255.255.255.0")), Ok(Some(false)));
    assert_eq!(same(&here, &pif("10.0.1.210", "255.255.0.0")), Ok(Some(false)));
    assert_eq!(same(&here, &pif("", "")), Ok(None));
    assert!(same(&here, &pif("ten", "255.255.255.0")).is_err());
    assert_eq!(same(&pif("1.2.3.4", "0.0.0.0"), &pif("5.6.7.8", "0.0.0.0")), Ok(Some(true)));
}

#[test]
fn public_addresses_are_those_that_the_internet_routes() {
    let public = |ip: &str| {
        let pif = pif(ip, "255.255.255.0");
        let Known::Yes(Some(subnet)) = address::of(&Known::Yes(Some(&pif))) else { panic!("{ip}") };
        address::is_public(subnet)
    };
    for private in ["10.1.2.3", "172.31.0.1", "192.168.1.1", "100.64.0.1", "169.254.1.1", "192.0.2.1", "127.0.0.1"] {
        assert!(!public(private), "{private}");
    }
    for routed in ["8.8.8.8", "172.32.0.1", "100.128.0.1", "192.169.0.1"] {
        assert!(public(routed), "{routed}");
    }
}

#[test]
fn both_ways_of_writing_a_time_are_read() {
    assert_eq!(time::seconds("20260520T10:00:00Z"), time::seconds("2026-05-20T10:00:00Z"));
    assert_eq!(time::seconds("1970-01-02T00:00:01Z"), Some(86_401));
    assert_eq!(time::days_between("2026-05-20T10:00:00Z", "2026-05-21T09:59:59Z"), Some(0));
    assert_eq!(time::days_between("2026-05-20T10:00:00Z", "2026-05-20T09:59:59Z"), Some(-1));
    for wrong in ["", "never", "2026", "T", "é0260520T10:00:00Z", "20261320T10:00:00Z"] {
        assert_eq!(time::seconds(wrong), None, "{wrong}");
    }
}

#[test]
fn what_a_source_could_have_told_and_did_not_stays_unknown() {
    let fact = |reason| Known::<i64>::no(reason, "");
    assert_eq!(told(&fact(Reason::AbsentOnRelease)), Ok(None));
    assert_eq!(told(&fact(Reason::NotApplicable)), Ok(None));
    for reason in [Reason::NotCollected, Reason::PermissionDenied, Reason::Unreadable] {
        assert!(told(&fact(reason)).is_err());
    }
    assert_eq!(told(&Known::Yes(1)), Ok(Some(&1)));
}

#[test]
fn xapi_is_newer_by_number_and_not_by_letter() {
    let host = |version: &str| Host {
        software_version: Known::Yes([("xapi_build".to_owned(), version.to_owned())].into()),
        ..Host::default()
    };
    let newer = |ours: &str, theirs: &str| software::xapi_newer(&host(ours), &host(theirs)).unwrap();
    assert!(newer("26.10.0", "26.9.0"));
    assert!(newer("26.0.0", "25.33.2"));
    assert!(!newer("26.9.7", "26.9.0"));
    assert!(!newer("25.6.0", "26.1.0"));
    let unknown = |ours: Host| software::xapi_newer(&ours, &host("26.1.0")).unwrap_err().to_string();
    assert_eq!(unknown(host("stream")), "unreadable: xapi stream is no version");
    let silent = || Host { software_version: Known::Yes([].into()), ..Host::default() };
    assert_eq!(unknown(silent()), "not collected: software_version holds no xapi");
    let assumed = Host { assumed_release: "XCP-ng 8.3".to_owned().into(), ..silent() };
    assert_eq!(unknown(assumed), "not collected: xapi is known once the release is installed");
}

#[test]
fn a_storage_that_may_be_iscsi_is_not_taken_for_another() {
    let reference = || "OpaqueRef:sr".to_owned().into();
    let host = Host { reference: "OpaqueRef:h".to_owned().into(), ..Host::default() };
    let pool = Pool {
        srs: vec![crate::snapshot::Sr {
            reference: reference(),
            shared: true.into(),
            is_tools_sr: false.into(),
            ..crate::snapshot::Sr::default()
        }]
        .into(),
        pbds: vec![crate::snapshot::Pbd {
            reference: "OpaqueRef:p".to_owned().into(),
            sr: reference(),
            host: host.reference.clone(),
            ..crate::snapshot::Pbd::default()
        }]
        .into(),
        ..Pool::default()
    };
    let shared = known(|| storage::shared(&pool, &host, &storage::Names::of(&pool, &Known::Yes(&host))));
    assert!(storage::some(&shared, |word| word == storage::INITIATOR).is_err());
}
