// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/machine/run_record.h"

#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace namsan {

namespace {

using namespace std::chrono_literals;

MachineSample sampleAt(std::chrono::milliseconds host, std::chrono::milliseconds guest, uint64_t instructions)
{
    MachineSample sample;
    sample.hostTime = host;
    sample.guestTime = guest;
    sample.lateTicks = 4ms;
    sample.vcpus.push_back({ .instructions = instructions, .portReads = 7, .halts = 3 });
    sample.threads.push_back({ .role = "VMM",
        .thread = 10,
        .cpuTime = 500ms,
        .requested = 0,
        .granted = { 0 },
        .lastCpu = 0,
        .observed = { { 0, 5 } } });
    sample.threads.push_back({ .role = "vCPU 0",
        .thread = 11,
        .cpuTime = 900ms,
        .requested = {},
        .granted = { 0, 1 },
        .lastCpu = 1,
        .observed = { { 0, 1 }, { 1, 4 } } });
    return sample;
}

RunRecord someRecord()
{
    RunRecord record;
    record.config.kernel = "/boot/vmlinuz";
    record.programVersion = "0.1.0";
    record.engineName = "soft:interpreter";
    record.engineReason = "the only one";
    record.requested = { 0, { std::nullopt } };
    record.samples = { sampleAt(0ms, 0ms, 0), sampleAt(2s, 1900ms, 5'000'000'000) };
    WorkloadRun workload;
    workload.name = "count";
    workload.finished = workload.ok = true;
    workload.guestSeconds = 0.99;
    workload.hostSeconds = 1;
    workload.begin = sampleAt(500ms, 500ms, 1000);
    workload.end = sampleAt(1500ms, 1490ms, 3000);
    record.workloads.push_back(workload);
    record.ending = MachineEnding { MachineEnding::Reason::PoweredOff, "The guest switched itself off." };
    record.log = { { LogLevel::Warning, "COM1", "bytes \xff that are no UTF-8" } };
    return record;
}

} // namespace

TEST(RunRecordJson, HoldsWhatReadersLookFor)
{
    const nlohmann::json json = toJson(someRecord());
    EXPECT_EQ(json["format"], "namsan-run-record");
    EXPECT_EQ(json["version"], 1);
    EXPECT_EQ(json["cpu_model"], "pentium-m");
    EXPECT_EQ(json["config"]["cpu"], "pentium-m");
    EXPECT_EQ(json["engine"]["name"], "soft:interpreter");
    EXPECT_EQ(json["engine"]["reason"], "the only one");
    EXPECT_EQ(json["guest_instructions"], 5'000'000'000u);
    EXPECT_EQ(json["host_seconds"], 2.0);
    EXPECT_EQ(json["guest_seconds"], 1.9);
    EXPECT_NEAR(json["drift"].get<double>(), -0.05, 1e-9);
    EXPECT_EQ(json["exits"]["port_reads"], 7);
    EXPECT_EQ(json["exits"]["halts"], 3);
    EXPECT_EQ(json["config"]["kernel"], "/boot/vmlinuz");
    EXPECT_EQ(json["config"]["memory"], "256M");
    EXPECT_EQ(json["ending"]["reason"], "powered_off");
    EXPECT_EQ(json["samples"].size(), 2u);
    EXPECT_EQ(json["log"][0]["source"], "COM1");
}

TEST(RunRecordJson, TellsPlacesRequestedGrantedAndObserved)
{
    const nlohmann::json placement = toJson(someRecord())["placement"];
    EXPECT_EQ(placement["requested"], nlohmann::json::parse(R"({"policy": "vmm=0", "vmm": 0, "vcpu0": null})"));
    EXPECT_EQ(placement["granted"], nlohmann::json::parse(R"({"vmm": [0], "vcpu0": [0, 1]})"));
    EXPECT_EQ(placement["observed"], nlohmann::json::parse(R"({"vmm": {"0": 5}, "vcpu0": {"0": 1, "1": 4}})"));
}

TEST(RunRecordJson, TellsWhatWentThroughTheNetworkCard)
{
    RunRecord record = someRecord();
    EXPECT_FALSE(toJson(record)["samples"][0].contains("network"));
    record.samples[1].network = NetworkFigures { .framesSent = 3, .bytesSent = 180, .framesLost = 1 };
    const nlohmann::json network = toJson(record)["samples"][1]["network"];
    EXPECT_EQ(network["frames_sent"], 3);
    EXPECT_EQ(network["bytes_sent"], 180);
    EXPECT_EQ(network["frames_lost"], 1);
    EXPECT_EQ(network["frames_received"], 0);
}

TEST(RunRecordJson, BoundsWorkloadsByTheirOwnFigures)
{
    const nlohmann::json workload = toJson(someRecord())["workloads"][0];
    EXPECT_EQ(workload["name"], "count");
    EXPECT_EQ(workload["ok"], true);
    EXPECT_EQ(workload["guest_seconds"], 0.99);
    EXPECT_EQ(workload["host_seconds"], 1.0);
    EXPECT_NEAR(workload["drift"].get<double>(), -0.01, 1e-9);
    EXPECT_EQ(workload["guest_instructions"], 2000);
}

TEST(RunRecordJson, TellsOfATestGuestAndItsExit)
{
    RunRecord record;
    record.config.multiboot = "/k";
    record.config.modules = { "/m text", "/n" };
    record.config.devices = { { OptionalDevice::Kind::DebugExit, "" }, { OptionalDevice::Kind::DebugConsole, "/f" } };
    record.ending = MachineEnding { MachineEnding::Reason::DebugExit, "It wrote 10h.", 0x10 };
    const nlohmann::json json = toJson(record);
    EXPECT_EQ(json["config"]["multiboot"], "/k");
    EXPECT_EQ(json["config"]["modules"], (std::vector<std::string> { "/m text", "/n" }));
    EXPECT_EQ(json["config"]["devices"], (std::vector<std::string> { "isa-debug-exit", "debugcon,file=/f" }));
    EXPECT_EQ(json["ending"]["reason"], "debug_exit");
    EXPECT_EQ(json["ending"]["value"], 16);
    EXPECT_TRUE(toJson(RunRecord {})["config"]["modules"].empty());
}

TEST(RunRecordJson, AnEmptyRecordIsStillARecord)
{
    const nlohmann::json json = toJson(RunRecord {});
    EXPECT_EQ(json["drift"], 0.0);
    EXPECT_EQ(json["guest_instructions"], 0);
    EXPECT_TRUE(json["ending"].is_null());
    EXPECT_TRUE(json["samples"].is_array());
}

TEST(RunRecordFile, IsWholeJsonWhateverTheGuestLogged)
{
    const TemporaryFolder folder;
    const auto written = writeRecord(someRecord(), folder.path("r.json"));
    ASSERT_TRUE(written) << written.error().message;
    const auto json = nlohmann::json::parse(folder.read("r.json"));
    EXPECT_EQ(json["format"], "namsan-run-record");
    EXPECT_EQ(json["log"][0]["text"], "bytes \xef\xbf\xbd that are no UTF-8");
    EXPECT_EQ(folder.files(), 1u); // nothing beside it
}

TEST(RunRecordFile, ReplacesAnOlderOne)
{
    const TemporaryFolder folder;
    folder.write("r.json", "old");
    ASSERT_TRUE(writeRecord(someRecord(), folder.path("r.json")));
    EXPECT_TRUE(nlohmann::json::accept(folder.read("r.json")));
}

TEST(RunRecordFile, SaysWhyItCannotBeWritten)
{
    const TemporaryFolder folder;
    folder.write("file", "x");
    const auto refusal = [](const std::string& path) {
        const auto written = writeRecord(someRecord(), path);
        EXPECT_FALSE(written) << path;
        return written ? "" : written.error().message;
    };
    EXPECT_EQ(refusal(folder.path("none/r.json")),
        "The run record cannot be written to " + folder.path("none/r.json") + ": there is no folder "
            + folder.path("none") + ". Make it, or choose another file.");
    EXPECT_EQ(refusal(folder.path("")),
        "The run record cannot be written to " + folder.path("") + ": that is a folder. Add the name of a file.");
    EXPECT_FALSE(refusal(folder.path("file/r.json")).empty());
    EXPECT_EQ(refusal("/dev/full"),
        "The run record cannot be written to /dev/full: No space left on device. Choose another file.");
    EXPECT_FALSE(refusal("").empty());
    EXPECT_EQ(folder.files(), 1u);
}

// KVM runs the guest where nobody counts: 0 would be a false figure.
TEST(RunRecordJson, HasNoFiguresThatTheEngineCannotCount)
{
    RunRecord record = someRecord();
    record.engineName = "kvm";
    const nlohmann::json json = toJson(record);
    EXPECT_TRUE(json["guest_instructions"].is_null());
    EXPECT_TRUE(json["workloads"][0]["guest_instructions"].is_null());
    EXPECT_TRUE(json["samples"][1]["vcpus"][0]["instructions"].is_null());
    EXPECT_TRUE(json["samples"][1]["vcpus"][0]["page_faults"].is_null());
    EXPECT_EQ(json["samples"][1]["vcpus"][0]["port_reads"], 7);
}

} // namespace namsan
