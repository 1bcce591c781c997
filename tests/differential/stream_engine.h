// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "tests/differential/stream_world.h"
#include "vmm/base/result.h"
#include "vmm/engine/decode/decoder.h"
#include "vmm/session/soft/soft_vcpu.h"
#include "vmm/time/clock.h"

#include <memory>
#include <optional>

namespace namsan {

// An engine that runs streams from their state before to their end.
class StreamEngine final : private CodeWatcher {
public:
    static std::unique_ptr<StreamEngine> interpreter(StreamWorld::Kind);
    static std::unique_ptr<StreamEngine> translator(StreamWorld::Kind, const TranslatorOptions&);
    static Result<std::unique_ptr<StreamEngine>> kvm(StreamWorld::Kind, const CpuModel&); // the model outlives it
    ~StreamEngine() override;

    NativeStream run(const NativeStream& before);
    const VcpuCounters& counters() const { return m_vcpu->counters(); }

private:
    explicit StreamEngine(StreamWorld::Kind);
    void makeSoft();
    void codeWritten(PhysicalAddress address, uint64_t size) override { m_soft->codeWritten(address, size); }

    StreamWorld m_world;
    SilentBus m_bus;
    ManualClock m_clock;
    Decoder m_decoder;
    std::unique_ptr<SoftVcpu> m_soft; // or
    std::unique_ptr<VmSession> m_session;
    Vcpu* m_vcpu = nullptr; // of either
};

} // namespace namsan
