//! Editions, restrictions, expiry.

use serde_json::json;

use crate::suite::{Mutation, change};

pub fn list() -> Vec<Mutation> {
    vec![
        change("the joiner's licence forbids pools", |p| {
            p.pool.get("restrictions.restrict_pooling")?;
            p.joiner.set("restrictions.restrict_pooling", "true")
        })
        .refused("pooling-licensed", "LICENCE_RESTRICTION")
        .fails("licence-keeps-features"),
        change("the joiner's licence stops at three hosts", |p| {
            p.joiner.set("restrictions.restrict_pool_size", "true")
        })
        .refused_if(
            "host-limit-licensed",
            |p| p.pool.count("hosts") >= 3,
            "LICENCE_RESTRICTION",
            |_| vec!["Pool_size".to_owned()],
        )
        .fails_if("licence-keeps-features", |p| {
            p.pool.get("restrictions.restrict_pool_size") == Some("false".into())
        }),
        change("the pool's licence stops at three hosts", |p| p.pool.set("restrictions.restrict_pool_size", "true"))
            .fails_if("host-limit-licensed-pool", |p| p.pool.count("hosts") >= 3),
        change("the joiner's licence lacks a feature", |p| {
            (p.pool.text("restrictions.restrict_wlb") == "false").then_some(())?;
            p.joiner.set("restrictions.restrict_wlb", "true")
        })
        .fails("licence-keeps-features"),
        change("the pool's licence lacks a feature", |p| p.pool.set("restrictions.restrict_wlb", "true")),
        change("the joiner's licence ends soon", |p| p.joiner.set("host.licence_expiry", "20260601T00:00:00Z"))
            .fails("licence-in-date"),
        change("the joiner's licence has ended", |p| p.joiner.set("host.licence_expiry", "20260101T00:00:00Z"))
            .fails("licence-in-date"),
        change("the joiner's edition is lower", |p| {
            p.joiner.0["pool"]["hosts"][0]["licence_daemon"] = json!([{"name": "lesser", "order": 1},
                {"name": p.pool.text("host.edition"), "order": 5}]);
            p.joiner.set("host.edition", "lesser")
        })
        .refused_with("edition-same", "LICENSE_HOST_POOL_MISMATCH", |p| {
            vec![
                "host edition = \"lesser\"".to_owned(),
                format!("pool edition = \"{}\"", p.pool.text("host.edition")),
            ]
        }),
        change("the joiner's edition ranks as the pool's", |p| {
            p.joiner.0["pool"]["hosts"][0]["licence_daemon"] = json!([{"name": "like", "order": 5},
                {"name": p.pool.text("host.edition"), "order": 5}]);
            p.joiner.set("host.edition", "like")
        }),
        change("a member's edition is unknown at the joiner", |p| {
            p.joiner.0["pool"]["hosts"][0]["licence_daemon"] = json!([{"name": p.joiner.text("host.edition"),
                "order": 5}]);
            p.pool.set("hosts.last.edition", "strange")
        })
        .refused_with("edition-same", "LICENSE_HOST_POOL_MISMATCH", |_| {
            vec!["Edition \"strange\" from pool is not known to v6d.".to_owned()]
        }),
        change("no licence daemon answers at the joiner", |p| {
            p.joiner.0["pool"]["hosts"][0]["licence_daemon"] = json!(null);
            p.joiner.set("host.edition", "lesser")
        })
        .refused_with("edition-same", "INTERNAL_ERROR", |_| vec!["V6_interface.V6_error(S(V6d_failure))".to_owned()]),
        change("nobody knows how editions rank", |p| p.joiner.set("host.edition", "lesser"))
            .undecided("edition-same"),
    ]
}
