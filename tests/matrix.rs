//! CPUs side by side, as an operator reads them and as a program does.

#![expect(clippy::panic, reason = "a test ends at what it did not expect")]

use poolgate::cpu::matrix::{Labelled, RunningLevel, SetKind, decode, diff, level};
use poolgate::facts::{Featureset, Known};
use poolgate::snapshot::HostCpu;

const CASCADE: &str = "1fcbfbff-f7fa3203-2c100800-00000121-0000000f-d19f07ab-0000080c-00000000-00101000-bc000400";
const IVY: &str = "1fcbfbff-f7ba2203-2c100800-00000001-00000001-00000281-00000000-00000000-00101000-9c000400";
const NO_HVM: &str = "10000000-00200000-00000000-00000402";

fn set(text: &str) -> Featureset {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

fn cpu(hvm: &str) -> HostCpu {
    HostCpu {
        vendor: "GenuineIntel".to_owned().into(),
        model_name: "Intel(R) Xeon(R) Gold 6230 CPU @ 2.10GHz".to_owned().into(),
        family: 6.into(),
        model: 85.into(),
        stepping: 7.into(),
        features_hvm_host: set(hvm).into(),
        ..HostCpu::default()
    }
}

fn labelled<'a>(cpus: impl IntoIterator<Item = (&'a str, &'a HostCpu)>) -> Vec<Labelled<'a>> {
    cpus.into_iter().map(|(name, cpu)| named(name, cpu)).collect()
}

fn named<'a>(name: &str, cpu: &'a HostCpu) -> Labelled<'a> {
    Labelled { name: name.to_owned(), cpu, runs_hvm: None }
}

#[test]
fn the_matrix_shows_who_lacks_what() {
    let (new, old, mute) = (cpu(CASCADE), cpu(IVY), HostCpu::default());
    let found = diff(&labelled([("alpha", &new), ("beta", &old), ("gamma", &mute)]));
    insta::assert_snapshot!(found.to_table(80), @r"
    features_hvm_host: what HVM guests are started with

       1  alpha  Intel(R) Xeon(R) Gold 6230 CPU @ 2.10GHz
       2  beta   Intel(R) Xeon(R) Gold 6230 CPU @ 2.10GHz
       3  gamma  not collected

                    1 2 3
    AVX
      fma           x - ?
      avx2          x - ?
    integer and bits
      movbe         x - ?
      abm           x - ?
      bmi1          x - ?
      bmi2          x - ?
      adx           x - ?
    cache and moves
      3dnowprefetch x - ?
      clflushopt    x - ?
      clwb          x - ?
    xsave
      xsavec        x - ?
      xgetbv1       x - ?
      xsaves        x - ?
    timers
      tsc-adjust    x - ?
    paging and protection
      invpcid       x - ?
      smap          x - ?
      umip          x - ?
      pku           x - ?
    AVX-512
      avx512f       x - ?
      avx512dq      x - ?
      avx512cd      x - ?
      avx512bw      x - ?
      avx512vl      x - ?
      avx512-vnni   x - ?
    random numbers
      rdseed        x - ?
    mitigations
      arch-caps     x - ?

    x has it, - lacks it, ? not known; 26 differ, 58 in common.
    ");
}

#[test]
fn sixteen_hosts_fit_eighty_columns_and_hundreds_are_split() {
    let mut all = set(CASCADE);
    all.set(6 * 32 + 14, true);
    let cpus: Vec<_> = (0..300).map(|index| cpu(if index % 3 == 0 { CASCADE } else { IVY })).collect();
    let odd = HostCpu { features_hvm_host: all.into(), ..cpu(CASCADE) };
    for count in [16, 300] {
        let mut hosts: Vec<_> = cpus[..count - 1]
            .iter()
            .enumerate()
            .map(|(index, cpu)| named(&format!("server-{index:03}.rack-seventeen.example.com"), cpu))
            .collect();
        hosts.push(named("a\u{1b}[31mname", &odd));
        let table = diff(&hosts).to_table(80);
        assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
        assert!(!table.contains('\u{1b}'));
        let blocks = table.lines().filter(|line| line.starts_with("AVX-512")).count();
        assert_eq!(blocks > 1, count > 16, "{table}");
    }
}

#[test]
fn equal_hosts_differ_in_nothing() {
    let (a, b) = (cpu(CASCADE), cpu(CASCADE));
    let found = diff(&labelled([("a", &a), ("b", &b)]));
    assert!(found.is_empty());
    assert!(found.to_table(80).contains("No feature differs"));
    assert!(diff(&[]).is_empty());
}

#[test]
fn raw_words_that_were_not_captured_are_not_known() {
    let raw = |text: &str, unknown: Vec<i64>| HostCpu {
        raw: set(text).into(),
        raw_unknown_words: unknown.into(),
        ..HostCpu::default()
    };
    let (a, b, c) = (raw("1-3", vec![]), raw("1-0", vec![1]), raw("1-1", vec![]));
    let found = diff(&labelled([("a", &a), ("b", &b), ("c", &c)]));
    assert_eq!(found.rows.len(), 1);
    assert_eq!(found.rows[0].has, [Some(true), None, Some(false)]);
    let shown = decode(&named("b", &b));
    assert_eq!(shown.words, ["00000001", "00000000"]);
    assert!(shown.to_table(80).contains("1c     ????????  not captured"));
}

#[test]
fn decoding_names_every_bit() {
    let shown = decode(&named("alpha", &cpu(IVY)));
    insta::assert_snapshot!(shown.to_table(80), @r"
    alpha
      Intel(R) Xeon(R) Gold 6230 CPU @ 2.10GHz
      GenuineIntel, family 6 model 85 stepping 7

      features_hvm_host: what HVM guests are started with
      1d     1fcbfbff  fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov
                       pat pse36 clflush acpi mmx fxsr sse sse2 ss htt
      1c     f7ba2203  sse3 pclmulqdq ssse3 cx16 pcid sse4-1 sse4-2 x2apic popcnt
                       tsc-deadline aesni xsave avx f16c rdrand hypervisor
      e1d    2c100800  syscall nx page1gb rdtscp lm
      e1c    00000001  lahf-lm
      Da1    00000001  xsaveopt
      7b0    00000281  fsgsbase smep erms
      7c0    00000000
      e7d    00000000
      e8b    00101000  ibpb no-lmsl
      7d0    9c000400  md-clear ibrsb stibp l1d-flush ssbd
    ");
    insta::assert_json_snapshot!(decode(&named("beta", &HostCpu { raw: set("3-80000000").into(), ..cpu("1") })), @r#"
    {
      "name": "beta",
      "vendor": "GenuineIntel",
      "family": 6,
      "model": 85,
      "stepping": 7,
      "brand": "Intel(R) Xeon(R) Gold 6230 CPU @ 2.10GHz",
      "provenance": null,
      "predicted_for": null,
      "words": [
        "00000003",
        "80000000"
      ],
      "unknown_words": [],
      "sets": {
        "features_hvm_host": {
          "value": "00000001",
          "features": [
            "fpu"
          ]
        },
        "raw": {
          "value": "00000003-80000000",
          "features": [
            "fpu",
            "vme",
            "hypervisor"
          ]
        }
      }
    }
    "#);
}

#[test]
fn the_level_says_what_each_host_gives_up_and_costs() {
    let (new, old, off) = (cpu(CASCADE), cpu(IVY), cpu(NO_HVM));
    let found = level(&labelled([("alpha", &new), ("beta", &old), ("gamma", &off), ("delta", &new)]));
    assert_eq!(found.levels[0].level.value, IVY);
    let hosts = &found.levels[0].hosts;
    assert!(hosts[2].left_out && !hosts[1].left_out);
    assert_eq!(hosts[1].costs, hosts[0].hidden);
    assert!(hosts[0].costs.is_empty() && hosts[1].hidden.is_empty());
    insta::assert_snapshot!(found.to_table(80), @r"
    features_hvm_host: what HVM guests are started with
      1fcbfbff-f7ba2203-2c100800-00000001-00000001-00000281-00000000-00000000-
      00101000-9c000400
      58 features
      alpha
        hides AVX (fma, avx2), integer and bits (movbe, abm, bmi1, bmi2, …),
              cache and moves (3dnowprefetch, clflushopt, clwb),
              xsave (xsavec, xgetbv1, xsaves), timers (tsc-adjust),
              paging and protection (invpcid, smap, umip, pku),
              AVX-512 (avx512f, avx512dq, avx512cd, avx512bw, …),
              random numbers (rdseed), mitigations (arch-caps)
      beta
        costs AVX (fma, avx2), integer and bits (movbe, abm, bmi1, bmi2, …),
              cache and moves (3dnowprefetch, clflushopt, clwb),
              xsave (xsavec, xgetbv1, xsaves), timers (tsc-adjust),
              paging and protection (invpcid, smap, umip, pku),
              AVX-512 (avx512f, avx512dq, avx512cd, avx512bw, …),
              random numbers (rdseed), mitigations (arch-caps)
      gamma
        runs no HVM guests and is left out
      delta
        hides AVX (fma, avx2), integer and bits (movbe, abm, bmi1, bmi2, …),
              cache and moves (3dnowprefetch, clflushopt, clwb),
              xsave (xsavec, xgetbv1, xsaves), timers (tsc-adjust),
              paging and protection (invpcid, smap, umip, pku),
              AVX-512 (avx512f, avx512dq, avx512cd, avx512bw, …),
              random numbers (rdseed), mitigations (arch-caps)
    ");
    assert!(level(&[]).levels.is_empty());
}

#[test]
fn a_set_that_one_host_lacks_is_a_gap_with_its_name() {
    let (a, b) = (cpu(CASCADE), HostCpu { features_hvm_host: Known::default(), ..cpu(IVY) });
    let b = HostCpu { features_hvm: set(IVY).into(), features_pv_host: set("1").into(), ..b };
    let a = HostCpu { features_hvm: set(CASCADE).into(), features_pv_host: set("1").into(), ..a };
    let found = level(&labelled([("alpha", &a), ("be\u{202e}ta", &b)]));
    let shown: Vec<_> = found.levels.iter().map(|level| level.set).collect();
    assert_eq!(shown, [SetKind::FeaturesPvHost, SetKind::FeaturesHvm]);
    assert_eq!(found.gaps.len(), 1);
    assert!(found.to_table(80).starts_with(
        "features_hvm_host: what HVM guests are started with\n  no level is known, since these do not show it: be\\u{202e}ta\n"
    ), "{}", found.to_table(80));
    // What nobody shows is no gap, and what guests may have at most none where it is known what they start with.
    let found = level(&labelled([("alpha", &a), ("beta", &cpu(IVY))]));
    let gaps: Vec<_> = found.gaps.iter().map(|gap| gap.set).collect();
    assert_eq!(gaps, [SetKind::FeaturesPvHost]);
}

#[test]
fn who_runs_no_hvm_guests_is_left_out_whatever_its_set_says() {
    let (a, b) = (cpu(CASCADE), cpu(IVY));
    let mut hosts = labelled([("alpha", &a), ("beta", &b)]);
    hosts[1].runs_hvm = Some(false);
    let found = level(&hosts);
    assert_eq!(found.levels[0].level.value, CASCADE);
    assert!(found.levels[0].hosts[1].left_out && found.levels[0].hosts[1].hidden.is_empty());
    // It does not need to show the set either.
    let mute = HostCpu { features_hvm_host: Known::default(), ..cpu(IVY) };
    let mut hosts = labelled([("alpha", &a), ("beta", &mute)]);
    hosts[1].runs_hvm = Some(false);
    let found = level(&hosts);
    assert!(found.gaps.is_empty());
    assert_eq!(found.levels[0].level.value, CASCADE);
    // One by one the same.
    let mut running = RunningLevel::default();
    hosts.iter().enumerate().for_each(|(line, host)| running.add(host, ("fleet.ndjson", line)));
    let streamed = running.finish();
    assert!(streamed.gaps.is_empty());
    assert_eq!(streamed.levels[0].level, found.levels[0].level);
    assert_eq!(streamed.levels[0].left_out, 1);
}

#[test]
fn no_host_loses_what_adds_up_over_a_pool() {
    const MD_CLEAR: usize = 9 * 32 + 10;
    let mut less = set(CASCADE);
    less.set(MD_CLEAR, false);
    let (with, without) = (cpu(CASCADE), HostCpu { features_hvm_host: less.into(), ..cpu(CASCADE) });
    let hosts = level(&labelled([("alpha", &with), ("beta", &without)])).levels.remove(0).hosts;
    assert!(hosts.iter().all(|host| host.hidden.is_empty() && host.costs.is_empty()), "{hosts:?}");
    // Where the server of older releases intersects them too, they are lost.
    let old = |cpu: &HostCpu| HostCpu { features: set("1-1-1-1").into(), ..cpu.clone() };
    let hosts = level(&labelled([("alpha", &old(&with)), ("beta", &old(&without))])).levels.remove(0).hosts;
    assert_eq!(hosts[0].hidden, ["md-clear"]);
    assert_eq!(hosts[1].costs, ["md-clear"]);
}

#[test]
fn a_predicted_cpu_costs_nothing_in_words_that_were_not_captured() {
    let quoted = HostCpu {
        provenance: "predicted".to_owned().into(),
        raw_unknown_words: vec![5, 6, 9].into(),
        ..cpu("1fcbfbff-f7ba2203-2c100800-00000001-0000000f-00000000-00000000-00000000-00101000-00000000")
    };
    let full = cpu(CASCADE);
    let found = level(&labelled([("alpha", &full), ("quote", &quoted)]));
    assert!(found.levels[0].undecided.contains(&"avx512f".to_owned()), "{found:?}");
    assert!(!found.levels[0].hosts[0].hidden.contains(&"avx512f".to_owned()));
    assert!(found.levels[0].hosts[1].costs.contains(&"fma".to_owned()), "a word that was captured counts");
    assert!(!found.levels[0].hosts[1].costs.contains(&"avx2".to_owned()));
    assert!(found.to_table(80).contains("perhaps more, in words of predicted CPUs"));
}
