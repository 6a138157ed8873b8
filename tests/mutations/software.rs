//! Versions, updates, packs, storage drivers' versions.

use poolgate::rules::at_least;
use serde_json::json;

use crate::edit::Pair;
use crate::suite::{Mutation, change};

fn differ(_: &Pair) -> Vec<String> {
    vec!["Software version differs".to_owned()]
}

fn old_words(_: &Pair) -> Vec<String> {
    vec!["software version differs".to_owned()]
}

/// XenServer 6.x wrote the sentence without a capital.
fn words_old(pair: &Pair) -> bool {
    !at_least(&pair.xapi, "1.9")
}

fn words_new(pair: &Pair) -> bool {
    !words_old(pair)
}

/// Both spellings of a difference of software.
trait Differs {
    fn differs_if(self, when: [fn(&Pair) -> bool; 2]) -> Self;
    fn differs(self) -> Self;
}

impl Differs for Mutation {
    fn differs(self) -> Self {
        self.differs_if([words_old, words_new]).fails("force-removes-nothing")
    }

    fn differs_if(self, [old, new]: [fn(&Pair) -> bool; 2]) -> Self {
        let code = "HOSTS_NOT_HOMOGENEOUS";
        self.refused_if("software-homogeneous", old, code, old_words).refused_if(
            "software-homogeneous",
            new,
            code,
            differ,
        )
    }
}

pub fn list() -> Vec<Mutation> {
    let mut list = of_versions();
    list.extend(of_updates());
    list
}

fn of_versions() -> Vec<Mutation> {
    vec![
        change("the platform differs", |p| p.pool.set_all("software_version.platform_version", "9.9.9"))
            .refused("software-compatible", "HOSTS_NOT_COMPATIBLE")
            .differs_if([words_old, |p| words_new(p) && !at_least(&p.xapi, "22.13.0")])
            .fails_in("force-removes-nothing", "", "22.13.0"),
        change("the brand differs", |p| p.pool.set_all("software_version.product_brand", "Other"))
            .refused("software-compatible", "HOSTS_NOT_COMPATIBLE")
            .differs(),
        change("the build of the toolstack differs", |p| p.pool.set_all("software_version.git_id", "77")).differs(),
        change("the Linux pack is on one side", |p| {
            let versions = p.pool.at("host.software_version")?.as_object_mut()?;
            if versions.remove("xs:linux").is_none() {
                versions.insert("xs:linux".to_owned(), "installed".into());
            }
            Some(())
        })
        .differs(),
        change("the build number differs", |p| p.pool.set("host.software_version.build_number", "other"))
            .refused_if("software-homogeneous", words_old, "HOSTS_NOT_HOMOGENEOUS", old_words)
            .refused_if(
                "software-homogeneous",
                |p| words_new(p) && !at_least(&p.xapi, "1.15"),
                "HOSTS_NOT_HOMOGENEOUS",
                differ,
            )
            .fails_in("force-removes-nothing", "", "1.15"),
        change("the coordinator's toolstack is older", |p| {
            p.pool.get("host.software_version.xapi_build")?;
            p.pool.set_all("software_version.xapi", "22.1")?;
            p.pool.set_all("software_version.xapi_build", "22.1.0")
        })
        .differs_if([|_| false, |p| at_least(&p.xapi, "22.13.0")])
        .fails_in("force-removes-nothing", "22.13.0", "")
        .fails_in("xapi-not-newer", "23.30", ""),
        change("both run a version of the toolstack that nobody has read", |p| {
            at_least(&p.xapi, "26.13").then_some(())?;
            for doc in [&mut p.pool, &mut p.joiner] {
                doc.set_all("software_version.xapi", "99.1")?;
                doc.set_all("software_version.xapi_build", "99.1.0")?;
            }
            Some(())
        })
        .fails("release-known"),
        change("the coordinator's toolstack is newer", |p| {
            p.pool.get("host.software_version.xapi_build")?;
            p.pool.set_all("software_version.xapi", "99.1")?;
            p.pool.set_all("software_version.xapi_build", "99.1.0")
        })
        .differs_if([|_| false, |p| at_least(&p.xapi, "22.13.0")])
        .fails_in("force-removes-nothing", "22.13.0", ""),
        change("a member's software is older", |p| {
            p.pool.get("hosts.1")?;
            p.pool.set("hosts.last.software_version.platform_version", "0.0.1")
        })
        .fails("pool-members-alike"),
        change("a member is down", |p| {
            p.pool.get("hosts.1")?;
            p.pool.set("hosts.last.live", false)
        })
        .fails("pool-members-live"),
        change("the pool was seen a month before the joiner", |p| {
            *p.pool.0["source"].get_mut("collected_at")? = "2026-04-19T10:00:00Z".into();
            Some(())
        })
        .fails("sides-seen-together"),
        change("the API differs", |p| p.pool.set("host.api_version_minor", 99)).refused_with(
            "api-version",
            "POOL_JOINING_HOST_MUST_HAVE_SAME_API_VERSION",
            |p| {
                let version = |doc: &crate::edit::Doc| {
                    let number = |field| doc.get(&format!("host.api_version_{field}")).unwrap_or_default();
                    format!("{}.{}", number("major"), number("minor"))
                };
                vec![version(&p.joiner), version(&p.pool)]
            },
        ),
        change("the database's schema differs", |p| p.pool.set("host.software_version.db_schema", "5.1"))
            .refused_with("db-schema", "POOL_JOINING_HOST_MUST_HAVE_SAME_DB_SCHEMA", |p| {
                vec![p.joiner.text("host.software_version.db_schema"), "5.1".to_owned()]
            }),
        change("neither side tells its schema", |p| {
            p.pool.set("host.software_version.db_schema", "")?;
            p.joiner.set("host.software_version.db_schema", "")
        })
        .refused_with("db-schema", "POOL_JOINING_HOST_MUST_HAVE_SAME_DB_SCHEMA", |_| vec![String::new(); 2]),
        change("a supplemental pack is on one side", |p| {
            p.joiner.put("host.software_version", "example:tools", "Tools, version 1, build 2")
        })
        .fails("supplemental-packs-same"),
        change("the kernels differ", |p| p.joiner.set("host.software_version.linux", "9.9"))
            .fails("xen-and-kernel-same"),
    ]
}

fn of_updates() -> Vec<Mutation> {
    fn updates(p: &Pair) -> Vec<String> {
        let name = |doc: &crate::edit::Doc| doc.text("host.name_label");
        vec![format!("Updates on local host {} and pool host {} differ", name(&p.joiner), name(&p.pool))]
    }
    fn update(enforced: bool) -> serde_json::Value {
        json!({"reference": "OpaqueRef:update", "uuid": "99999999-9999-4999-8999-999999999999", "hosts": [],
            "name_label": "XSE001", "version": "1.0", "enforce_homogeneity": enforced})
    }
    vec![
        change("an update is on the coordinator only", |p| {
            p.pool.push("updates", update(true))?;
            p.pool.push("host.updates", "OpaqueRef:update".into())
        })
        .refused_with("updates-same", "HOSTS_NOT_HOMOGENEOUS", updates)
        .fails("updates-reachable"),
        change("an update is on the joiner only", |p| {
            p.joiner.push("updates", update(true))?;
            p.joiner.set("updates.last.uuid", "99999999-9999-4999-8999-999999999990")?;
            p.joiner.push("host.updates", "OpaqueRef:update".into())
        })
        .refused_with("updates-same", "HOSTS_NOT_HOMOGENEOUS", updates)
        .fails("updates-reachable"),
        change("an update that members may lack is on the joiner only", |p| {
            p.joiner.push("updates", update(false))?;
            p.joiner.push("host.updates", "OpaqueRef:update".into())
        }),
        change("a patch is on the joiner only", |p| {
            p.joiner.push(
                "patches",
                json!({"reference": "OpaqueRef:patch", "name_label": "XS62E001",
                "uuid": "99999999-9999-4999-8999-999999999998", "version": "1.0"}),
            )?;
            p.joiner.push(
                "host_patches",
                json!({"reference": "OpaqueRef:applied", "applied": true,
                "uuid": "99999999-9999-4999-8999-999999999997", "host": p.joiner.text("host.reference"),
                "pool_patch": "OpaqueRef:patch"}),
            )?;
            p.joiner.push("host.patches", "OpaqueRef:applied".into())
        })
        .refused_with("patches-same", "HOSTS_NOT_HOMOGENEOUS", |p| {
            let uuids = |doc: &crate::edit::Doc| -> String {
                let patches = doc.get("host.patches").unwrap_or_default();
                let uuid = |reference: &serde_json::Value| {
                    let at = doc.find("host_patches", "reference", reference.clone())?;
                    let patch =
                        doc.find("patches", "reference", doc.text(&format!("host_patches.{at}.pool_patch")))?;
                    Some(doc.text(&format!("patches.{patch}.uuid")))
                };
                patches.as_array().into_iter().flatten().filter_map(uuid).collect::<Vec<_>>().join(" ")
            };
            vec![format!("Patches applied differ: Remote has {} -- Local has {}", uuids(&p.pool), uuids(&p.joiner))]
        })
        .fails("updates-reachable"),
        change("the last updates differ", |p| {
            p.joiner.set("host.last_update_hash", "0f1e")?;
            p.pool.set("host.last_update_hash", "2d3c")
        })
        .fails("updates-level-same"),
        change("only the joiner tells its last update", |p| {
            p.pool.set("host.last_update_hash", "")?;
            p.joiner.set("host.last_update_hash", "0f1e")
        })
        .fails("updates-level-same"),
        change("an update waits for a reboot of the joiner", |p| {
            p.joiner.get("host.updates_requiring_reboot").filter(serde_json::Value::is_array)?;
            p.joiner.set("host.updates_requiring_reboot", json!(["OpaqueRef:waiting"]))
        })
        .fails_in("updates-rebooted", "", "22.20"),
    ]
}
