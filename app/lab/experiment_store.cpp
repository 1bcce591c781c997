// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/experiment_store.h"

#include "app/lab/settings_text.h"

#include <QSqlError>
#include <QSqlQuery>
#include <QUuid>
#include <QVariant>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cstdlib>
#include <ctime>

namespace namsan {

namespace {

namespace fs = std::filesystem;

constexpr const char* schema[] = {
    R"(CREATE TABLE experiments (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        settings TEXT NOT NULL,
        created_at TEXT NOT NULL,
        program_version TEXT NOT NULL,
        host_processor TEXT NOT NULL,
        host_kernel TEXT NOT NULL,
        host_cpus INTEGER NOT NULL))",
    // The unique key is what makes counting a run twice impossible, whoever writes.
    R"(CREATE TABLE runs (
        id INTEGER PRIMARY KEY,
        experiment INTEGER NOT NULL REFERENCES experiments (id),
        engine INTEGER NOT NULL,
        "column" INTEGER NOT NULL,
        repetition INTEGER NOT NULL,
        status TEXT NOT NULL CHECK (status IN ('ok', 'failed', 'misplaced')),
        guest_seconds REAL NOT NULL,
        host_seconds REAL NOT NULL,
        engine_name TEXT NOT NULL,
        started_at TEXT NOT NULL,
        reason TEXT NOT NULL,
        UNIQUE (experiment, engine, "column", repetition)))",
    // Apart from the figures, so that tables are made without reading through logs.
    R"(CREATE TABLE papers (
        run INTEGER PRIMARY KEY REFERENCES runs (id),
        record BLOB NOT NULL,
        log BLOB NOT NULL))",
    R"(CREATE TABLE unavailable (
        experiment INTEGER NOT NULL REFERENCES experiments (id),
        engine INTEGER NOT NULL,
        "column" INTEGER NOT NULL,
        reason TEXT NOT NULL,
        PRIMARY KEY (experiment, engine, "column")))",
};

// https://www.sqlite.org/rescode.html
enum SqliteCode {
    busy = 5,
    readOnly = 8,
    inputOutput = 10,
    corrupt = 11,
    full = 13,
    cannotOpen = 14,
    constraint = 19,
    notADatabase = 26,
};

std::string nowInUtc()
{
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
}

QString toQt(const std::string& text)
{
    return QString::fromStdString(text);
}

QByteArray compressed(const std::string& text)
{
    return qCompress(QByteArray::fromRawData(text.data(), static_cast<qsizetype>(text.size())));
}

// Takes back what was done since BEGIN, unless that was committed. Not by Qt's own functions for transactions: their
// errors have lost SQLite's code.
class Transaction {
public:
    explicit Transaction(const QSqlDatabase& database)
        : m_database(database)
    {
    }
    ~Transaction()
    {
        if (m_open)
            QSqlQuery(m_database).exec(QStringLiteral("ROLLBACK"));
    }
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;

    void committed() { m_open = false; }

private:
    QSqlDatabase m_database;
    bool m_open = true;
};

} // namespace

fs::path ExperimentStore::defaultFolder()
{
    const char* data = std::getenv("XDG_DATA_HOME");
    if (data && data[0] == '/') // the specification has relative ones ignored
        return fs::path(data) / "namsan";
    const char* home = std::getenv("HOME");
    return fs::path(home ? home : "/") / ".local" / "share" / "namsan";
}

Result<std::unique_ptr<ExperimentStore>> ExperimentStore::open(const fs::path& folder)
{
    std::error_code error;
    fs::create_directories(folder, error);
    if (error)
        return Error { fmt::format("The folder {} for the experiments can't be made: {}. Make it, or set XDG_DATA_HOME "
                                   "to a folder that may be written.",
            folder.string(), error.message()) };
    std::unique_ptr<ExperimentStore> store(new ExperimentStore(folder / "experiments.sqlite"));
    if (auto ready = store->prepare(); !ready)
        return ready.error();
    return store;
}

ExperimentStore::ExperimentStore(fs::path file)
    : m_file(std::move(file))
    , m_connection(QUuid::createUuid().toString())
    , m_database(QSqlDatabase::addDatabase(QStringLiteral("QSQLITE"), m_connection))
{
}

ExperimentStore::~ExperimentStore()
{
    m_database.close();
    m_database = {};
    QSqlDatabase::removeDatabase(m_connection);
}

Result<void> ExperimentStore::prepare()
{
    if (!m_database.isValid())
        return Error { "Qt's driver for SQLite is missing; install the package libqt6sql6-sqlite." };
    m_database.setDatabaseName(toQt(m_file.string()));
    m_database.setConnectOptions(QStringLiteral("QSQLITE_BUSY_TIMEOUT=10000"));
    if (!m_database.open())
        return explain("be opened", m_database.lastError().nativeErrorCode().toInt(), m_database.lastError().text());
    for (const char* pragma : { "PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA foreign_keys=ON" }) {
        if (auto done = execute(pragma, "be opened"); !done)
            return done;
    }
    const auto found = readVersion();
    if (!found)
        return found.error();
    if (*found > schemaVersion)
        return Error { fmt::format("The archive {} was made by a later version of Namsan (its form is {}, this version "
                                   "knows {}); use that version, or another folder with XDG_DATA_HOME.",
            m_file.string(), *found, schemaVersion) };
    return *found == schemaVersion ? Result<void> {} : makeSchema();
}

Result<void> ExperimentStore::makeSchema()
{
    constexpr const char* what = "be made";
    // Immediate: of two programs that both find an empty archive one waits, and finds it made.
    if (auto begun = execute("BEGIN IMMEDIATE", what); !begun)
        return begun;
    Transaction transaction(m_database);
    const auto version = readVersion();
    if (!version)
        return version.error();
    if (*version == 0) {
        for (const char* statement : schema) {
            if (auto done = execute(statement, what); !done)
                return done;
        }
        if (auto done = execute(fmt::format("PRAGMA user_version={}", schemaVersion).c_str(), what); !done)
            return done;
    }
    if (auto done = execute("COMMIT", what); !done)
        return done;
    transaction.committed();
    return {};
}

Result<int> ExperimentStore::readVersion()
{
    QSqlQuery version(m_database);
    version.prepare(QStringLiteral("PRAGMA user_version"));
    if (auto done = execute(version, "be read"); !done)
        return done.error();
    version.next();
    return version.value(0).toInt();
}

Result<void> ExperimentStore::checkSoundness()
{
    QSqlQuery check(m_database);
    check.prepare(QStringLiteral("PRAGMA quick_check(1)"));
    if (auto done = execute(check, "be read"); !done)
        return done;
    if (check.next() && check.value(0).toString() == QLatin1String("ok"))
        return {};
    return explain("be used", corrupt, check.value(0).toString());
}

Result<std::vector<Experiment>> ExperimentStore::list()
{
    return read(QStringLiteral("ORDER BY id DESC"), {});
}

Result<std::optional<Experiment>> ExperimentStore::find(const std::string& name)
{
    auto found = read(QStringLiteral("WHERE name = ?"), toQt(name));
    if (!found)
        return found.error();
    if (found->empty())
        return std::optional<Experiment> {};
    return std::optional<Experiment>(std::move(found->front()));
}

Result<std::vector<Experiment>> ExperimentStore::read(const QString& condition, const QString& name)
{
    QSqlQuery query(m_database);
    query.prepare(QStringLiteral("SELECT id, settings, created_at, program_version, host_processor, host_kernel, "
                                 "host_cpus FROM experiments ")
        + condition);
    if (!name.isNull())
        query.addBindValue(name);
    if (auto done = execute(query, "be read"); !done)
        return done.error();
    std::vector<Experiment> experiments;
    while (query.next()) {
        Experiment experiment;
        experiment.id = query.value(0).toLongLong();
        auto settings = settingsFromText(query.value(1).toString().toStdString());
        if (!settings)
            return explain("be read", corrupt, toQt(settings.error().message));
        experiment.settings = std::move(*settings);
        experiment.createdAt = query.value(2).toString().toStdString();
        experiment.programVersion = query.value(3).toString().toStdString();
        experiment.host = { query.value(4).toString().toStdString(), query.value(5).toString().toStdString(),
            query.value(6).toUInt() };
        if (auto parts = readParts(experiment); !parts)
            return parts.error();
        experiments.push_back(std::move(experiment));
    }
    return experiments;
}

Result<void> ExperimentStore::readParts(Experiment& experiment)
{
    const auto belongs = [&](const CellPlace& cell) {
        return cell.engine < experiment.settings.engines.size() && cell.column < experiment.settings.columns.size();
    };
    QSqlQuery runs(m_database);
    runs.prepare(QStringLiteral("SELECT engine, \"column\", repetition, status, guest_seconds, host_seconds, "
                                "engine_name, started_at, reason FROM runs WHERE experiment = ? ORDER BY id"));
    runs.addBindValue(static_cast<qlonglong>(experiment.id));
    if (auto done = execute(runs, "be read"); !done)
        return done;
    while (runs.next()) {
        ExperimentRun run;
        run.planned = { { runs.value(0).toUInt(), runs.value(1).toUInt() }, runs.value(2).toUInt() };
        if (!belongs(run.planned.cell))
            return explain("be read", corrupt, QStringLiteral("a run belongs to no cell"));
        run.status = statusFromText(runs.value(3).toString().toStdString());
        run.guestSeconds = runs.value(4).toDouble();
        run.hostSeconds = runs.value(5).toDouble();
        run.engineName = runs.value(6).toString().toStdString();
        run.startedAt = runs.value(7).toString().toStdString();
        run.reason = runs.value(8).toString().toStdString();
        experiment.runs.push_back(std::move(run));
    }
    QSqlQuery missing(m_database);
    missing.prepare(QStringLiteral("SELECT engine, \"column\", reason FROM unavailable WHERE experiment = ?"));
    missing.addBindValue(static_cast<qlonglong>(experiment.id));
    if (auto done = execute(missing, "be read"); !done)
        return done;
    while (missing.next()) {
        const CellPlace cell { missing.value(0).toUInt(), missing.value(1).toUInt() };
        if (belongs(cell))
            experiment.unavailable[cell] = missing.value(2).toString().toStdString();
    }
    return {};
}

Result<Experiment> ExperimentStore::create(const ExperimentSettings& settings, const HostDescription& host)
{
    Experiment experiment { 0, settings, nowInUtc(), NAMSAN_VERSION, host, {}, {} };
    QSqlQuery query(m_database);
    query.prepare(QStringLiteral("INSERT INTO experiments (name, settings, created_at, program_version, "
                                 "host_processor, host_kernel, host_cpus) VALUES (?, ?, ?, ?, ?, ?, ?)"));
    for (const std::string& text : { settings.name, settingsToText(settings), experiment.createdAt,
             experiment.programVersion, host.processor, host.kernel })
        query.addBindValue(toQt(text));
    query.addBindValue(host.cpus);
    if (auto done = execute(query, "take the new experiment"); !done)
        return done.error();
    experiment.id = query.lastInsertId().toLongLong();
    return experiment;
}

Result<void> ExperimentStore::setUnavailable(
    const Experiment& experiment, const std::map<CellPlace, std::string>& reasons)
{
    if (reasons == experiment.unavailable)
        return {};
    constexpr const char* what = "take what this host cannot do";
    if (auto begun = execute("BEGIN IMMEDIATE", what); !begun)
        return begun;
    Transaction transaction(m_database);
    QSqlQuery forget(m_database);
    forget.prepare(QStringLiteral("DELETE FROM unavailable WHERE experiment = ?"));
    forget.addBindValue(static_cast<qlonglong>(experiment.id));
    if (auto done = execute(forget, what); !done)
        return done;
    for (const auto& [cell, reason] : reasons) {
        QSqlQuery add(m_database);
        add.prepare(
            QStringLiteral("INSERT INTO unavailable (experiment, engine, \"column\", reason) VALUES (?, ?, ?, ?)"));
        add.addBindValue(static_cast<qlonglong>(experiment.id));
        add.addBindValue(static_cast<qulonglong>(cell.engine));
        add.addBindValue(static_cast<qulonglong>(cell.column));
        add.addBindValue(toQt(reason));
        if (auto done = execute(add, what); !done)
            return done;
    }
    if (auto done = execute("COMMIT", what); !done)
        return done;
    transaction.committed();
    return {};
}

Result<void> ExperimentStore::addRun(const Experiment& experiment, const ExperimentRun& run, const RunPapers& papers)
{
    constexpr const char* what = "take a finished run";
    if (auto begun = execute("BEGIN IMMEDIATE", what); !begun)
        return begun;
    Transaction transaction(m_database);
    QSqlQuery figures(m_database);
    figures.prepare(QStringLiteral("INSERT INTO runs (experiment, engine, \"column\", repetition, status, "
                                   "guest_seconds, host_seconds, engine_name, started_at, reason) "
                                   "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
    figures.addBindValue(static_cast<qlonglong>(experiment.id));
    figures.addBindValue(static_cast<qulonglong>(run.planned.cell.engine));
    figures.addBindValue(static_cast<qulonglong>(run.planned.cell.column));
    figures.addBindValue(run.planned.repetition);
    figures.addBindValue(toQt(std::string(statusToText(run.status))));
    figures.addBindValue(run.guestSeconds);
    figures.addBindValue(run.hostSeconds);
    for (const std::string& text : { run.engineName, run.startedAt, run.reason })
        figures.addBindValue(toQt(text));
    if (auto done = execute(figures, what); !done)
        return done;
    QSqlQuery keep(m_database);
    keep.prepare(QStringLiteral("INSERT INTO papers (run, record, log) VALUES (?, ?, ?)"));
    keep.addBindValue(figures.lastInsertId());
    keep.addBindValue(compressed(papers.record));
    keep.addBindValue(compressed(papers.log));
    if (auto done = execute(keep, what); !done)
        return done;
    if (auto done = execute("COMMIT", what); !done)
        return done;
    transaction.committed();
    return {};
}

Result<std::optional<RunPapers>> ExperimentStore::papers(const Experiment& experiment, const PlannedRun& planned)
{
    QSqlQuery query(m_database);
    query.prepare(QStringLiteral("SELECT record, log FROM papers JOIN runs ON runs.id = papers.run "
                                 "WHERE experiment = ? AND engine = ? AND \"column\" = ? AND repetition = ?"));
    query.addBindValue(static_cast<qlonglong>(experiment.id));
    query.addBindValue(static_cast<qulonglong>(planned.cell.engine));
    query.addBindValue(static_cast<qulonglong>(planned.cell.column));
    query.addBindValue(planned.repetition);
    if (auto done = execute(query, "be read"); !done)
        return done.error();
    if (!query.next())
        return std::optional<RunPapers> {};
    return std::optional<RunPapers>(RunPapers { qUncompress(query.value(0).toByteArray()).toStdString(),
        qUncompress(query.value(1).toByteArray()).toStdString() });
}

Result<void> ExperimentStore::execute(QSqlQuery& query, const char* what)
{
    // A statement that could not even be prepared has its error already, and exec() tells of it again.
    if (query.lastError().isValid() || !query.exec())
        return explain(what, query.lastError().nativeErrorCode().toInt(), query.lastError().text());
    return {};
}

Result<void> ExperimentStore::execute(const char* statement, const char* what)
{
    QSqlQuery query(m_database);
    if (!query.exec(QString::fromUtf8(statement)))
        return explain(what, query.lastError().nativeErrorCode().toInt(), query.lastError().text());
    return {};
}

Error ExperimentStore::explain(const char* what, int nativeCode, const QString& text) const
{
    const auto remedy = [&]() -> std::string {
        switch (nativeCode & 0xff) { // the rest are details of the code
        case full:
            return "the disk is full. What was finished before is safe; make room and give the same command again";
        case corrupt:
        case notADatabase:
            return fmt::format("the file is damaged ({}). Put it aside, with the files beside it whose names begin "
                               "with its name, and a new one is made; \"sqlite3 {} .recover\" may save what it holds",
                text.trimmed().toStdString(), m_file.string());
        case readOnly:
        case cannotOpen:
            return "it may not be written. Change its rights, or set XDG_DATA_HOME to another folder";
        case busy:
            return "another program has kept it for more than ten seconds. Try again when that is done";
        case inputOutput:
            return "reading or writing it failed. Look at the disk, and give the same command again";
        case constraint:
            return "it holds this already. Another Namsan was faster; give the same command again";
        default:
            return text.trimmed().toStdString();
        }
    };
    return { fmt::format("The archive {} can't {}: {}.", m_file.string(), what, remedy()) };
}

} // namespace namsan
