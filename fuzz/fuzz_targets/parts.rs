#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| poolgate_fuzz::run("parts", bytes));
