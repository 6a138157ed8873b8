//! Every fault, where it belongs: what the client sees, and what the lab is afterwards.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

pub mod common;

use std::path::Path;
use std::time::{Duration, Instant};

use common::xapi::Client;
use poolgate::lab::db::text;
use poolgate::lab::{ApiError, Fault, FaultKind, Lab, LabConfig, Phase, Served};
use serde_json::{Value, json};

const PASSWORD: &str = "made up";
const LONG: Duration = Duration::from_secs(30);

fn lab(faults: Vec<Fault>) -> Lab {
    let fixture = |name: &str| {
        Served::file(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(format!("{name}.json"))).unwrap()
    };
    let config = ["xcp-ng-8.3-5-hosts", "candidate-twin", "candidate-good"]
        .iter()
        .fold(LabConfig::new(PASSWORD), |config, name| config.serve(fixture(name)));
    Lab::start(faults.into_iter().fold(config, LabConfig::fault)).unwrap()
}

/// A call after a login that no fault touches.
fn call(lab: &Lab, host: &str, method: &str, more: &[Value]) -> std::io::Result<Result<Value, Vec<String>>> {
    let mut client = Client::connect(&lab.endpoint(host).unwrap());
    let session = json!(client.login("root", PASSWORD));
    client.try_call(method, Value::Array([&[session], more].concat()))
}

fn join(lab: &Lab, host: &str) -> std::io::Result<Result<Value, Vec<String>>> {
    call(lab, host, "pool.join", &[json!("127.0.0.1"), json!("root"), json!(PASSWORD)])
}

fn hosts(lab: &Lab) -> usize {
    lab.with_db("xcp-01", |db| db.count("host")).unwrap()
}

#[test]
fn faults_of_answers() {
    let on = |kind| lab(vec![Fault::new(kind).on("pool.get_all_records").times(1)]);
    let ask = |lab: &Lab| call(lab, "xcp-twin", "pool.get_all_records", &[]);
    for kind in [FaultKind::Reset, FaultKind::LoseAnswer, FaultKind::Truncate, FaultKind::Html500] {
        let lab = on(kind.clone());
        assert!(ask(&lab).is_err(), "{kind:?}");
        // Once was the word.
        ask(&lab).unwrap().unwrap();
    }
    assert_eq!(ask(&on(FaultKind::SessionLost)).unwrap().unwrap_err()[0], "SESSION_INVALID");
    let error = ApiError::new("HOST_STILL_BOOTING", Vec::<String>::new());
    assert_eq!(ask(&on(FaultKind::Error(error))).unwrap().unwrap_err(), ["HOST_STILL_BOOTING"]);
    let odd = ask(&on(FaultKind::WrongTypes)).unwrap().unwrap();
    let pool = odd.as_object().unwrap().values().next().unwrap();
    assert_eq!((&pool["ha_enabled"], &pool["uuid"]), (&json!("perhaps"), &json!(7)));
    let start = Instant::now();
    ask(&on(FaultKind::Slow(Duration::from_millis(300)))).unwrap().unwrap();
    assert!(start.elapsed() >= Duration::from_millis(300));
}

#[test]
fn a_lab_ends_though_a_call_hangs() {
    let lab = lab(vec![Fault::new(FaultKind::Hang).on("pool.get_all")]);
    let endpoint = lab.endpoint("xcp-twin").unwrap();
    let waiting = std::thread::spawn(move || {
        let mut client = Client::connect(&endpoint);
        let session = client.login("root", PASSWORD);
        client.try_call("pool.get_all", json!([session])).is_err()
    });
    while !lab.calls().iter().any(|call| call.method == "pool.get_all") {
        std::thread::yield_now();
    }
    drop(lab);
    assert!(waiting.join().unwrap());
}

#[test]
fn another_certificate_midway() {
    let lab = lab(vec![Fault::new(FaultKind::SwapCertificate).on("pool.get_all").times(1)]);
    let before = lab.endpoint("xcp-twin").unwrap();
    call(&lab, "xcp-twin", "pool.get_all", &[]).unwrap().unwrap();
    assert!(Client::try_connect(&before).is_err());
    assert_ne!(lab.endpoint("xcp-twin").unwrap().fingerprint, before.fingerprint);
    Client::connect(&lab.endpoint("xcp-twin").unwrap());
}

#[test]
fn another_coordinator_midway() {
    let lab = lab(vec![Fault::new(FaultKind::ChangeCoordinator).on("pool.get_all").times(1)]);
    assert_eq!(call(&lab, "xcp-01", "pool.get_all", &[]).unwrap().unwrap_err()[0], "HOST_IS_SLAVE");
    let now = lab.endpoint("xcp-01").unwrap().coordinator;
    assert_ne!(now, "xcp-01");
    Client::connect(&lab.endpoint(&now).unwrap()).login("root", PASSWORD);
}

#[test]
fn a_joiner_that_crashes_in_any_phase_is_whole_or_a_member_afterwards() {
    for phase in [Phase::Checking, Phase::Certificates, Phase::Metadata] {
        let lab = lab(vec![Fault::new(FaultKind::Crash).at("xcp-twin").during(phase).times(1)]);
        assert!(join(&lab, "xcp-twin").is_err(), "{phase:?}");
        lab.wait_for_phase("xcp-twin", Phase::Idle, LONG).unwrap();
        // Nothing is rolled back: what was written stays at the pool.
        assert_eq!(hosts(&lab), if phase == Phase::Metadata { 6 } else { 5 }, "{phase:?}");
        lab.with_db("xcp-01", |db| assert_eq!(db.pool().1["current_operations"], json!({}))).unwrap();
    }
    for phase in [Phase::Switching, Phase::Restarting, Phase::Starting, Phase::Synchronising] {
        let lab = lab(vec![Fault::new(FaultKind::Crash).at("xcp-twin").during(phase).times(1)]);
        assert_eq!(join(&lab, "xcp-twin").is_err(), phase == Phase::Switching, "{phase:?}");
        lab.wait_for_phase("xcp-twin", Phase::Member, LONG).unwrap();
        assert_eq!(hosts(&lab), 6, "{phase:?}");
    }
}

#[test]
fn a_joiner_that_dies_answers_no_more() {
    let lab = lab(vec![Fault::new(FaultKind::Die).at("xcp-twin").during(Phase::Starting)]);
    join(&lab, "xcp-twin").unwrap().unwrap();
    lab.wait_for_phase("xcp-twin", Phase::Dead, LONG).unwrap();
    assert!(Client::try_connect(&lab.endpoint("xcp-twin").unwrap()).is_err());
    lab.with_db("xcp-01", |db| {
        let (_, host) = db.each("host").find(|(_, host)| text(host, "name_label") == "xcp-twin").unwrap();
        assert_eq!(host["enabled"], json!(false));
    })
    .unwrap();
}

#[test]
fn members_that_never_come_up_say_why_in_the_second_shape() {
    let answers = |fault: FaultKind, code: &str| {
        let lab = lab(vec![Fault::new(fault).at("xcp-twin")]);
        join(&lab, "xcp-twin").unwrap().unwrap();
        lab.wait_for_phase("xcp-twin", Phase::Emergency, LONG).unwrap();
        let mut client = Client::connect(&lab.endpoint("xcp-twin").unwrap());
        let body =
            json!({"id": "mine", "method": "session.login_with_password", "params": ["root", PASSWORD]}).to_string();
        let answer: Value = serde_json::from_str(&client.send("POST", "/jsonrpc", &[], &body).unwrap().body).unwrap();
        assert_eq!((&answer["error"][0], &answer["id"]), (&json!(code), &json!(0)), "{answer}");
        assert_eq!(client.call("host.is_in_emergency_mode", json!([])), Ok(json!(true)));
        hosts(&lab)
    };
    assert_eq!(answers(FaultKind::NotRecorded, "HOST_UNKNOWN_TO_MASTER"), 5);
    assert_eq!(answers(FaultKind::NewerThanCoordinator, "HOST_XAPI_VERSION_HIGHER_THAN_COORDINATOR"), 6);
}

#[test]
fn a_member_that_cannot_be_talked_back_to_comes_up_when_it_can() {
    let lab = lab(vec![Fault::new(FaultKind::CannotTalkBack).at("xcp-twin")]);
    join(&lab, "xcp-twin").unwrap().unwrap();
    lab.wait_for_phase("xcp-twin", Phase::Starting, LONG).unwrap();
    let mut client = Client::connect(&lab.endpoint("xcp-twin").unwrap());
    let deadline = Instant::now() + LONG;
    let address = lab.endpoint("xcp-twin").unwrap().address.to_string();
    while client.call("pool.get_all", json!(["x"]))
        != Err(vec!["HOST_MASTER_CANNOT_TALK_BACK".to_owned(), address.clone()])
    {
        assert!(Instant::now() < deadline);
    }
    lab.clear_faults();
    lab.wait_for_phase("xcp-twin", Phase::Member, LONG).unwrap();
}

#[test]
fn two_joins_at_once_wait_for_each_other_or_are_refused() {
    let lab = lab(Vec::new());
    std::thread::scope(|scope| {
        for host in ["xcp-twin", "xcp-good"] {
            scope.spawn(|| join(&lab, host).unwrap().unwrap());
        }
    });
    for host in ["xcp-twin", "xcp-good"] {
        lab.wait_for_phase(host, Phase::Member, LONG).unwrap();
    }
    assert_eq!(hosts(&lab), 7);
    let lab = self::lab(Vec::new());
    lab.with_db("xcp-01", |db| db.set_pool("current_operations", json!({"OpaqueRef:t": "ha_enable"}))).unwrap();
    let refused = join(&lab, "xcp-twin").unwrap().unwrap_err();
    assert_eq!((refused[0].as_str(), refused[3].as_str()), ("OTHER_OPERATION_IN_PROGRESS", "ha_enable"));
}

#[test]
fn faults_are_read_from_words() {
    let read = |text: &str| text.parse::<Fault>();
    let fault = Fault::new(FaultKind::Crash).at("xcp-twin").during(Phase::Metadata).times(1);
    assert_eq!(read("crash,endpoint=xcp-twin,phase=metadata,count=1"), Ok(fault));
    let slow = Fault::new(FaultKind::Slow(Duration::from_secs(2))).on("*.get_all_records").after(3);
    assert_eq!(read("slow=2s,method=*.get_all_records,after=3"), Ok(slow));
    for odd in ["", "slow", "hang=1", "crash,phase=nowhere", "reset,count=x", "reset,count", "reset,colour=red"] {
        assert!(read(odd).unwrap_err().to_string().contains("expected KIND"), "{odd}");
    }
}
