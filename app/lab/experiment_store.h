// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/lab/experiment.h"

#include <QSqlDatabase>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

class QSqlQuery;

namespace namsan {

// What a run leaves behind for somebody who wants to look closer.
struct RunPapers {
    std::string record; // JSON
    std::string log; // the guest's serial output
};

// The archive of experiments: one SQLite database in the user's data folder.
//
// A run is there whole (figures, record, log) or not at all, and no more than once: each is one transaction, and the
// place of a run in its experiment is a key. When addRun() has returned, the run outlives the program's and the host's
// sudden end (write-ahead log, synchronous=FULL). Others may read meanwhile.
//
// Needs a QCoreApplication. Of the thread that opened it. Everything fails with a sentence for the user.
class ExperimentStore {
public:
    static constexpr int schemaVersion = 1;

    // XDG Base Directory Specification: $XDG_DATA_HOME, or ~/.local/share.
    static std::filesystem::path defaultFolder();

    // Opens or makes the archive in the folder. Fails where it is damaged or was made by a later version.
    static Result<std::unique_ptr<ExperimentStore>> open(const std::filesystem::path& folder);
    ~ExperimentStore();
    ExperimentStore(const ExperimentStore&) = delete;
    ExperimentStore& operator=(const ExperimentStore&) = delete;

    // Reads all of the file, as far as can be told from within whether it is sound. Takes as long as reading does.
    Result<void> checkSoundness();

    Result<std::vector<Experiment>> list(); // the newest first, with their runs
    Result<std::optional<Experiment>> find(const std::string& name);

    // The experiment as it is kept from now on. Fails where the name is taken.
    Result<Experiment> create(const ExperimentSettings&, const HostDescription&);
    Result<void> setUnavailable(const Experiment&, const std::map<CellPlace, std::string>&);
    Result<void> addRun(const Experiment&, const ExperimentRun&, const RunPapers&);
    Result<std::optional<RunPapers>> papers(const Experiment&, const PlannedRun&);

private:
    explicit ExperimentStore(std::filesystem::path file);

    Result<void> prepare();
    Result<void> makeSchema();
    Result<int> readVersion(); // 0: the archive is new
    Result<void> execute(QSqlQuery&, const char* what);
    Result<void> execute(const char* statement, const char* what);
    Result<void> readParts(Experiment&);
    Result<std::vector<Experiment>> read(const QString& condition, const QString& name);
    Error explain(const char* what, int nativeCode, const QString& text) const;

    std::filesystem::path m_file;
    QString m_connection;
    QSqlDatabase m_database;
};

} // namespace namsan
