// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/run_judgement.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace namsan {

namespace {

nlohmann::json goodRecord()
{
    return nlohmann::json::parse(R"json({
        "started_at": "2026-11-23T12:00:00Z",
        "engine": { "name": "soft:translator", "reason": "asked for" },
        "placement": {
            "requested": { "policy": "1(d)", "vmm": 0, "vcpu0": 1 },
            "granted": { "vmm": [0], "vcpu0": [1] },
            "observed":
{
    "vmm" : {}, "vcpu0":
    {
        "1" : 77
    }
}
}
, "workloads" : [
    { "name" : "other", "finished" : true, "ok" : false, "guest_seconds" : 1, "host_seconds" : 1 },
    { "name" : "count", "finished" : true, "ok" : true, "guest_seconds" : 12.34, "host_seconds" : 12.3 }
]
})json");
}

ExperimentRun judge(const nlohmann::json& record, std::string_view why = {})
{
    return judgeRun(record.dump(), "count", why);
}

} // namespace

TEST(RunJudgementTest, TakesFiguresAndEngineFromTheRecord)
{
    const ExperimentRun run = judge(goodRecord());
    EXPECT_EQ(run.status, RunStatus::Ok);
    EXPECT_DOUBLE_EQ(run.guestSeconds, 12.34);
    EXPECT_DOUBLE_EQ(run.hostSeconds, 12.3);
    EXPECT_EQ(run.engineName, "soft:translator");
    EXPECT_EQ(run.startedAt, "2026-11-23T12:00:00Z");
    EXPECT_EQ(run.reason, "");
}

TEST(RunJudgementTest, AThreadSeenElsewhereSpoilsTheRun)
{
    auto record = goodRecord();
    record["placement"]["observed"]["vcpu0"]["0"] = 3;
    const ExperimentRun run = judge(record);
    EXPECT_EQ(run.status, RunStatus::Misplaced);
    EXPECT_EQ(run.reason, "The thread vcpu0 was to run on CPU 1 and was seen 3 times on CPU 0.");
}

TEST(RunJudgementTest, AThreadGrantedMoreThanAskedSpoilsTheRun)
{
    auto record = goodRecord();
    record["placement"]["granted"]["vmm"] = { 0, 1 };
    EXPECT_EQ(judge(record).status, RunStatus::Misplaced);
    record["placement"].erase("granted");
    EXPECT_EQ(judge(record).status, RunStatus::Misplaced);
    record.erase("placement");
    EXPECT_EQ(judge(record).status, RunStatus::Misplaced);
}

TEST(RunJudgementTest, AFailedWorkloadFailsTheRun)
{
    auto record = goodRecord();
    record["workloads"][1]["ok"] = false;
    EXPECT_EQ(judge(record).status, RunStatus::Failed);
    EXPECT_EQ(judge(record, "The digests differ.").reason, "The digests differ.");
}

TEST(RunJudgementTest, AGuestThatDiedOrHungFailsTheRun)
{
    auto record = goodRecord();
    record["workloads"][1]["finished"] = false;
    EXPECT_EQ(judge(record, "The guest crashed: triple fault.").reason, "The guest crashed: triple fault.");
    EXPECT_EQ(judge(record, "The guest crashed: triple fault.").status, RunStatus::Failed);
    record["workloads"].clear();
    EXPECT_EQ(judge(record).status, RunStatus::Failed);
    EXPECT_NE(judge(record).reason.find("never came to its end"), std::string::npos);
}

TEST(RunJudgementTest, ARecordThatIsNoneFailsTheRun)
{
    for (const char* text : { "", "[]", "{", "null", R"({"workloads": 5, "placement": [], "engine": "x"})" }) {
        const ExperimentRun run = judgeRun(text, "count", "");
        EXPECT_EQ(run.status, RunStatus::Failed) << text;
        EXPECT_NE(run.reason, "") << text;
    }
}

} // namespace namsan
