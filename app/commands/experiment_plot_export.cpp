// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/commands/experiment_run.h"
#include "app/paint/plot_export.h"

#include <fmt/format.h>

#include <ostream>

namespace namsan {

Result<ExitCode> exportPlot(const Program& program, const std::string& format, const ResultTable& table)
{
    if (format != "svg" && format != "png")
        return Error { fmt::format(
            "An experiment can't be written as \"{}\"; choose md, csv, json, svg or png.", format) };
    const QByteArray bytes = format == "svg" ? plotAsSvg(table) : plotAsPng(table);
    program.output.write(bytes.constData(), bytes.size());
    return ExitCode::Success;
}

} // namespace namsan
