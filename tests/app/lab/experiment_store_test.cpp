// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/experiment_store.h"

#include "app/lab/random_numbers.h"
#include "tests/app/lab/core_application.h"
#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>

#include <QSqlQuery>

#include <fstream>

namespace namsan {

namespace {

ExperimentSettings settings(const std::string& name = "first")
{
    return { name, "count", "mini", { "soft" }, *parseColumns("1s,1d,2d"), 6, 4711 };
}

ExperimentRun runOf(size_t column, unsigned repetition, double seconds = 1.5)
{
    ExperimentRun run;
    run.planned = { { 0, column }, repetition };
    run.guestSeconds = seconds;
    run.hostSeconds = 1.49;
    run.engineName = "soft:translator";
    run.startedAt = "2026-11-23T12:00:00Z";
    return run;
}

class ExperimentStoreTest : public ::testing::Test {
protected:
    std::unique_ptr<ExperimentStore> open()
    {
        auto store = ExperimentStore::open(folder.path(""));
        EXPECT_TRUE(store) << (store ? "" : store.error().message);
        return store ? std::move(*store) : nullptr;
    }

    // By the store's own connection, the only one there is.
    void inOpenArchive(const char* statement)
    {
        QSqlQuery query(QSqlDatabase::database(QSqlDatabase::connectionNames().constFirst()));
        EXPECT_TRUE(query.exec(QString::fromUtf8(statement)));
    }

    const TestCoreApplication application;
    const TemporaryFolder folder;
    const HostDescription host { "a processor", "Linux 6.1", 8 };
};

} // namespace

TEST_F(ExperimentStoreTest, GivesBackWhatItWasGiven)
{
    {
        const auto store = open();
        auto experiment = store->create(settings(), host);
        ASSERT_TRUE(experiment);
        ASSERT_TRUE(store->setUnavailable(*experiment, { { { 0, 2 }, "Too few CPUs." } }));
        ASSERT_TRUE(store->addRun(*experiment, runOf(1, 0), { "{ \"record\": 1 }", std::string("log\0\xff", 5) }));
        ExperimentRun failed = runOf(0, 0);
        failed.status = RunStatus::Failed;
        failed.reason = "The guest crashed: it's \"gone\".";
        ASSERT_TRUE(store->addRun(*experiment, failed, {}));
    }
    const auto store = open();
    const auto found = store->find("first");
    ASSERT_TRUE(found && *found);
    const Experiment& experiment = **found;
    EXPECT_EQ(experiment.settings, settings());
    EXPECT_EQ(experiment.host.processor, "a processor");
    EXPECT_EQ(experiment.unavailable.at({ 0, 2 }), "Too few CPUs.");
    ASSERT_EQ(experiment.runs.size(), 2u);
    EXPECT_EQ(experiment.runs[0].planned, runOf(1, 0).planned);
    EXPECT_DOUBLE_EQ(experiment.runs[0].guestSeconds, 1.5);
    EXPECT_EQ(experiment.runs[1].status, RunStatus::Failed);
    EXPECT_EQ(experiment.runs[1].reason, "The guest crashed: it's \"gone\".");
    EXPECT_EQ(experiment.runsWanted(), 12u);
    const auto papers = store->papers(experiment, runOf(1, 0).planned);
    ASSERT_TRUE(papers && *papers);
    EXPECT_EQ((*papers)->record, "{ \"record\": 1 }");
    EXPECT_EQ((*papers)->log, std::string("log\0\xff", 5));
    const auto none = store->papers(experiment, runOf(1, 5).planned);
    ASSERT_TRUE(none);
    EXPECT_FALSE(none->has_value());
}

TEST_F(ExperimentStoreTest, ARunIsNeverCountedTwice)
{
    const auto store = open();
    const auto experiment = store->create(settings(), host);
    ASSERT_TRUE(store->addRun(*experiment, runOf(1, 0, 1), {}));
    EXPECT_FALSE(store->addRun(*experiment, runOf(1, 0, 2), {}));
    const auto found = store->find("first");
    ASSERT_EQ((*found)->runs.size(), 1u);
    EXPECT_DOUBLE_EQ((*found)->runs[0].guestSeconds, 1);
}

TEST_F(ExperimentStoreTest, ANameIsTakenOnce)
{
    const auto store = open();
    ASSERT_TRUE(store->create(settings(), host));
    EXPECT_FALSE(store->create(settings(), host));
    EXPECT_TRUE(store->create(settings("second"), host));
    const auto all = store->list();
    ASSERT_TRUE(all);
    ASSERT_EQ(all->size(), 2u);
    EXPECT_EQ(all->front().settings.name, "second");
    const auto none = store->find("third");
    ASSERT_TRUE(none);
    EXPECT_FALSE(none->has_value());
}

TEST_F(ExperimentStoreTest, TwoMayBeOpenAtOnce)
{
    const auto writer = open();
    const auto reader = open();
    const auto experiment = writer->create(settings(), host);
    ASSERT_TRUE(writer->addRun(*experiment, runOf(1, 0), {}));
    EXPECT_EQ((*reader->find("first"))->runs.size(), 1u);
    ASSERT_TRUE(writer->addRun(*experiment, runOf(1, 1), {}));
    EXPECT_EQ((*reader->find("first"))->runs.size(), 2u);
}

TEST_F(ExperimentStoreTest, AFileThatIsNoDatabaseIsToldAndKept)
{
    const std::string content(5000, 'x');
    folder.write("experiments.sqlite", content);
    const auto store = ExperimentStore::open(folder.path(""));
    ASSERT_FALSE(store);
    EXPECT_NE(store.error().message.find("experiments.sqlite"), std::string::npos);
    EXPECT_NE(store.error().message.find("is damaged"), std::string::npos);
    EXPECT_EQ(folder.read("experiments.sqlite"), content);
}

TEST_F(ExperimentStoreTest, DamageInTheMiddleIsFound)
{
    {
        const auto store = open();
        const auto experiment = store->create(settings(), host);
        for (unsigned i = 0; i < 6; ++i)
            ASSERT_TRUE(store->addRun(*experiment, runOf(1, i), { std::string(20000, 'r'), "log" }));
    }
    {
        std::fstream file(folder.path("experiments.sqlite"), std::ios::in | std::ios::out | std::ios::binary);
        for (int page = 1; page < 10; ++page) {
            file.seekp(page * 4096);
            file << std::string(200, '\xaa');
        }
    }
    auto store = ExperimentStore::open(folder.path(""));
    const auto sound = store ? (*store)->checkSoundness() : Result<void>(store.error());
    ASSERT_FALSE(sound);
    EXPECT_NE(sound.error().message.find("damaged"), std::string::npos) << sound.error().message;
}

TEST_F(ExperimentStoreTest, AnArchiveOfALaterVersionIsLeftAlone)
{
    {
        const auto store = open();
        inOpenArchive("PRAGMA user_version=99");
    }
    const auto store = ExperimentStore::open(folder.path(""));
    ASSERT_FALSE(store);
    EXPECT_NE(store.error().message.find("later version"), std::string::npos);
}

TEST_F(ExperimentStoreTest, AFolderThatCannotBeMadeIsTold)
{
    folder.write("file", "");
    const auto store = ExperimentStore::open(folder.path("file/below"));
    ASSERT_FALSE(store);
    EXPECT_NE(store.error().message.find("XDG_DATA_HOME"), std::string::npos);
}

// A limit of SQLite's own makes it meet the same error as a disk without room.
TEST_F(ExperimentStoreTest, AFullDiskLosesNothing)
{
    const auto store = open();
    const auto experiment = store->create(settings(), host);
    ASSERT_TRUE(store->addRun(*experiment, runOf(1, 0), {}));
    inOpenArchive("PRAGMA max_page_count=40");
    RandomNumbers random(1);
    std::string incompressible;
    for (int i = 0; i < 400000; ++i)
        incompressible += static_cast<char>(random.next());
    const auto added = store->addRun(*experiment, runOf(1, 1), { incompressible, {} });
    ASSERT_FALSE(added);
    EXPECT_NE(added.error().message.find("the disk is full"), std::string::npos) << added.error().message;
    EXPECT_EQ((*store->find("first"))->runs.size(), 1u);
    EXPECT_TRUE(store->checkSoundness());
    EXPECT_TRUE(store->addRun(*experiment, runOf(1, 1), {}));
}

} // namespace namsan
