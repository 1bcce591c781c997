// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/common/export_dialog.h"

#include "vmm/base/file_writer.h"

#include <QCoreApplication>
#include <QDir>
#include <QFileDialog>
#include <QFileInfo>

namespace namsan {

void askWhereToExport(QWidget* parent, QString name, std::function<void(const QString&)> chosen)
{
    const auto tr = [](const char* text) { return QCoreApplication::translate("ExportDialog", text); };
    auto* dialog = new QFileDialog(parent, tr("Export"), QDir::homePath());
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    dialog->setNameFilters({ tr("Markdown (*.md)"), tr("One line for each run (*.csv)"), tr("Everything (*.json)"),
        tr("Plot (*.svg)"), tr("Plot (*.png)") });
    dialog->setDefaultSuffix(QStringLiteral("md"));
    QObject::connect(dialog, &QFileDialog::filterSelected, dialog, [dialog](const QString& filter) {
        dialog->setDefaultSuffix(filter.section(QLatin1String("*."), 1).chopped(1));
    });
    dialog->selectFile(name.replace(QLatin1Char('/'), QLatin1Char('-')));
    QObject::connect(dialog, &QFileDialog::fileSelected, parent, std::move(chosen));
    dialog->open();
}

Result<void> exportTo(const QString& path, const ExportForms& forms)
{
    const QString ending = QFileInfo(path).suffix().toLower();
    const std::function<std::string()>& form = ending == QLatin1String("csv") ? forms.csv
        : ending == QLatin1String("json")                                     ? forms.json
        : ending == QLatin1String("svg")                                      ? forms.svg
        : ending == QLatin1String("png")                                      ? forms.png
                                                                              : forms.markdown;
    return writeWholeFile("The export", path.toStdString(), form());
}

} // namespace namsan
