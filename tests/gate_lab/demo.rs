//! What a new user tries first.

use crate::common::run::poolgate;

#[test]
fn the_demonstration_tells_the_whole_story() {
    // Neither a terminal nor a home nor files.
    let told = poolgate(["lab", "--demo"]).status(0).quietly();
    let mut settings = insta::Settings::clone_current();
    for (pattern, stands_for) in [
        (r"127\.0\.0\.(\d):\d+", "127.0.0.$1:PORT"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME"),
        (r"([0-9A-F]{2}:){31}[0-9A-F]{2}", "FINGERPRINT"),
        (r"digest [0-9a-f]{12}", "digest DIGEST"),
        (r"\d+ rules\s+passed", "N rules passed"),
        // How much of the restart is seen depends on the moment.
        (r"(?m)^xs8-edge-02: the (pool knows the host|host does not answer|host still|host's toolstack).*\n", ""),
        (r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "UUID"),
    ] {
        settings.add_filter(pattern, stands_for);
    }
    settings.bind(|| insta::assert_snapshot!(told));
    let wide: Vec<_> = crate::common::run::too_wide(&told)
        .into_iter()
        .filter(|line| !line.starts_with("$ ") && !line.starts_with("  # ") && !line.contains(':'))
        .collect();
    assert_eq!(wide, [""; 0]);
}
