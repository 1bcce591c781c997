// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/result.h"

#include <QString>

#include <functional>
#include <string>

class QWidget;

namespace namsan {

// What can be written of an experiment or a race. A form is made when it is chosen.
struct ExportForms {
    std::function<std::string()> markdown, csv, json, svg, png;
};

// Asks for a file, whose ending names the form, and suggests a name without an ending. Does not wait for the answer.
void askWhereToExport(QWidget* parent, QString name, std::function<void(const QString& path)> chosen);

// The path's ending says what is written: md, csv, json, svg or png; Markdown where it is another one. Fails with a
// sentence.
Result<void> exportTo(const QString& path, const ExportForms&);

} // namespace namsan
