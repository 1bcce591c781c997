// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/differential/stream_engine.h"

#include "vmm/session/kvm/kvm_session.h"

#include <stdexcept>

namespace namsan {

StreamEngine::StreamEngine(StreamWorld::Kind kind)
    : m_world(kind)
{
}

void StreamEngine::makeSoft()
{
    m_soft = std::make_unique<SoftVcpu>(
        m_world.memory(), m_bus, m_clock, CpuModel::standard(), m_decoder, SoftVcpu::Neighbours {});
    m_vcpu = m_soft.get();
    m_world.memory().setCodeWatcher(this);
}

std::unique_ptr<StreamEngine> StreamEngine::interpreter(StreamWorld::Kind kind)
{
    std::unique_ptr<StreamEngine> engine(new StreamEngine(kind));
    engine->makeSoft();
    return engine;
}

std::unique_ptr<StreamEngine> StreamEngine::translator(StreamWorld::Kind kind, const TranslatorOptions& options)
{
    std::unique_ptr<StreamEngine> engine = interpreter(kind);
    if (auto started = engine->m_soft->startTranslator(options); !started)
        throw std::runtime_error(started.error().message);
    return engine;
}

Result<std::unique_ptr<StreamEngine>> StreamEngine::kvm(StreamWorld::Kind kind, const CpuModel& model)
{
    std::unique_ptr<StreamEngine> engine(new StreamEngine(kind));
    auto session = KvmSession::create(engine->m_world.memory(), engine->m_clock, model, engine->m_bus);
    if (!session)
        return session.error();
    engine->m_session = std::move(*session);
    engine->m_vcpu = &engine->m_session->vcpu(0);
    return engine;
}

StreamEngine::~StreamEngine()
{
    m_world.memory().setCodeWatcher(nullptr);
}

NativeStream StreamEngine::run(const NativeStream& before)
{
    constexpr uint8_t hlt = 0xf4;
    m_world.putCode(before);
    if (m_world.kind() == StreamWorld::Kind::Bare)
        m_world.memory().write(before.endsAt, { &hlt, 1 });
    m_world.putMemory(before);
    m_world.putRights(before);
    m_vcpu->load(m_world.stateBefore(before));
    const VcpuExit exit = m_vcpu->run();
    NativeStream after = before;
    if (exit.reason == VcpuExit::Reason::Halted)
        m_world.takeEnd(m_vcpu->save(), after);
    else
        after.trap = ~0u;
    m_world.eraseCode(before);
    return after;
}

} // namespace namsan
